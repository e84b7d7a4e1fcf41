import { randomBytes, randomUUID } from 'node:crypto';
import { ConflictException, Inject, Injectable, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { type ClientRequest, type EctoAdapter, UniqueConstraintError } from '@app/sessions';
import type { EntityManager } from 'typeorm';
import { STORAGE } from '../database/database.module.js';
import { Guesses } from '../guesses/guesses.js';
import { hashPassword, verifyPassword } from './password.js';
import { User } from './user.entity.js';

@Injectable()
export class UsersService implements OnModuleInit {
  /** The hash of a password that nobody has. */
  #decoy = '';

  constructor(
    @Inject(STORAGE) private readonly storage: EctoAdapter,
    private readonly guesses: Guesses,
  ) {}

  async onModuleInit(): Promise<void> {
    this.#decoy = await hashPassword(randomBytes(SECRET_BYTES).toString('hex'));
  }

  /**
   * A new user. Without e-mail there is no other way to tell that an address is taken than to say so, so it counts as a guess.
   *
   * @throws ConflictException where there is a user with this e-mail address
   */
  async signUp(request: ClientRequest, address: string, password: string): Promise<Pick<User, 'id' | 'email'>> {
    const email = address.toLowerCase();
    const user = await this.guesses.passwords.attempt(request, email, () => this.#insert(email, password));
    if (user === null) throw new ConflictException('email: is taken');
    return user;
  }

  /** The user with this e-mail address and password. An unknown address takes as long as a wrong password. Whoever calls it counts guesses. */
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

  async #insert(email: string, password: string): Promise<Pick<User, 'id' | 'email'> | null> {
    const id = randomUUID();
    const passwordHash = await hashPassword(password);
    try {
      await this.storage.insert(User, { id, email, passwordHash });
    } catch (error) {
      if (error instanceof UniqueConstraintError) return null;
      throw error;
    }
    return { id, email };
  }

  async #find(where: Partial<User>): Promise<User | null> {
    const { rows } = await this.storage.execute(this.storage.prepare('all', User, { where }));
    return (rows?.[0] as User | undefined) ?? null;
  }
}

const SECRET_BYTES = 32;
