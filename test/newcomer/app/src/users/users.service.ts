import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ConflictException, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import { Repository } from 'typeorm';
import { User } from './user.entity.js';

const derive = promisify<string, string, number, Buffer>(scrypt);

@Injectable()
export class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  async add(user: { email: string; name: string; password: string }): Promise<User> {
    const { email, name } = user;
    if (await this.users.existsBy({ email })) throw new ConflictException('Somebody has this address.');
    return this.users.save({ email, name, passwordHash: await this.hash(user.password) });
  }

  get(id: string): Promise<User> {
    return this.users.findOneByOrFail({ id });
  }

  all(): Promise<User[]> {
    return this.users.find({ relations: { sessions: true }, order: { email: 'ASC' } });
  }

  async promote(email: string): Promise<void> {
    await this.users.update({ email }, { role: 'admin' });
  }

  /** The user, where the password is right. */
  async verify(email: string, password: string): Promise<User | null> {
    const user = await this.users.findOne({ where: { email }, select: { id: true, passwordHash: true } });
    if (user === null) return null;
    const [salt = '', hash = ''] = user.passwordHash.split(':');
    const given = await derive(password, salt, 32);
    return timingSafeEqual(given, Buffer.from(hash, 'hex')) ? this.get(user.id) : null;
  }

  async hash(password: string): Promise<string> {
    const salt = randomBytes(16).toString('hex');
    return `${salt}:${(await derive(password, salt, 32)).toString('hex')}`;
  }

  async setPasswordHash(id: string, passwordHash: string, manager: EntityManager): Promise<void> {
    await manager.update(User, { id }, { passwordHash });
  }
}
