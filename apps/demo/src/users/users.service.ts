import { randomBytes, randomUUID } from 'node:crypto';
import { Inject, Injectable, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { type EctoAdapter, UniqueConstraintError } from '@app/sessions';
import type { EntityManager } from 'typeorm';
import { STORAGE } from '../database/database.module.js';
import { hashPassword, verifyPassword } from './password.js';
import { User } from './user.entity.js';

@Injectable()
export class UsersService implements OnModuleInit {
  /** The hash of a password that nobody has. */
  #decoy = '';

  constructor(@Inject(STORAGE) private readonly storage: EctoAdapter) {}

  async onModuleInit(): Promise<void> {
    this.#decoy = await hashPassword(randomBytes(SECRET_BYTES).toString('hex'));
  }

  /** Creates a user and returns the id; `null` if the e-mail address is taken. */
  async insert(email: string, passwordHash: string): Promise<string | null> {
    const id = randomUUID();
    try {
      await this.storage.insert(User, { id, email, passwordHash });
    } catch (error) {
      if (error instanceof UniqueConstraintError) return null;
      throw error;
    }
    return id;
  }

  async isKnown(email: string): Promise<boolean> {
    return (await this.#find({ email })) !== null;
  }

  /** The user with this e-mail address and password. An unknown address takes as long as a wrong password. The caller counts guesses. */
  async verify(address: string, password: string): Promise<User | null> {
    const user = await this.#find({ email: address.toLowerCase() });
    const matches = await verifyPassword(password, user?.passwordHash ?? this.#decoy);
    return user !== null && matches ? user : null;
  }

  async setPasswordHash(id: string, passwordHash: string, manager?: EntityManager): Promise<void> {
    const storage = manager ? this.storage.within(manager) : this.storage;
    await storage.update(User, { passwordHash }, { id });
  }

  /** @throws NotFoundException */
  async get(id: string): Promise<User> {
    const user = await this.#find({ id });
    if (user === null) throw new NotFoundException('There is no such user.');
    return user;
  }

  async #find(where: Partial<User>): Promise<User | null> {
    const { rows } = await this.storage.execute(this.storage.prepare('all', User, { where }));
    return (rows?.[0] as User | undefined) ?? null;
  }
}

const SECRET_BYTES = 32;
