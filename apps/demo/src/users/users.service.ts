import { randomBytes, randomUUID } from 'node:crypto';
import { ConflictException, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { hashPassword, verifyPassword } from './password.js';
import { User } from './user.entity.js';

@Injectable()
export class UsersService implements OnModuleInit {
  /** The hash of a password that nobody has. */
  #decoy = '';

  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  async onModuleInit(): Promise<void> {
    this.#decoy = await hashPassword(randomBytes(SECRET_BYTES).toString('hex'));
  }

  /** A new user. @throws ConflictException where there is one with this e-mail address */
  async signUp(address: string, password: string): Promise<Pick<User, 'id' | 'email'>> {
    const email = address.toLowerCase();
    const id = randomUUID();
    const passwordHash = await hashPassword(password);
    try {
      await this.users.insert({ id, email, passwordHash });
    } catch (error) {
      if (await this.users.existsBy({ email })) throw new ConflictException('email: is taken');
      throw error;
    }
    return { id, email };
  }

  /** The user with this e-mail address and password. An unknown address takes as long as a wrong password. */
  async verify(address: string, password: string): Promise<User | null> {
    const email = address.toLowerCase();
    const select = { id: true, email: true, passwordHash: true };
    const user = await this.users.findOne({ where: { email }, select });
    const matches = await verifyPassword(password, user?.passwordHash ?? this.#decoy);
    return user !== null && matches ? user : null;
  }

  async get(id: string): Promise<User> {
    return this.users.findOneByOrFail({ id });
  }
}

const SECRET_BYTES = 32;
