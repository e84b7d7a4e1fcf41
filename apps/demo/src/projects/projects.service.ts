import { randomUUID } from 'node:crypto';
import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import type { QueryOptions, EctoAdapter } from '@app/sessions';
import { STORAGE } from '../database/database.module.js';
import { Project } from './project.entity.js';

@Injectable()
export class ProjectsService {
  constructor(@Inject(STORAGE) private readonly storage: EctoAdapter) {}

  async create(userId: string, name: string): Promise<Pick<Project, 'id' | 'name'>> {
    const id = randomUUID();
    await this.storage.insert(Project, { id, name, userId });
    return { id, name };
  }

  async rename(id: string, name: string): Promise<Pick<Project, 'id' | 'name'>> {
    await this.storage.update(Project, { name }, { id });
    return { id, name };
  }

  async list(userId: string): Promise<Pick<Project, 'id' | 'name'>[]> {
    return this.#find({ where: { userId }, select: ['id', 'name'], order: { name: 'ASC' } });
  }

  /** @throws NotFoundException */
  async get(id: string): Promise<Project> {
    return this.#one({ id });
  }

  /** A project of this user. @throws NotFoundException if it does not exist or belongs to another user */
  async getOwn(userId: string, id: string): Promise<Project> {
    return this.#one({ id, userId });
  }

  async #one(where: Partial<Project>): Promise<Project> {
    const [project] = await this.#find({ where });
    if (project === undefined) throw new NotFoundException('You have no such project.');
    return project;
  }

  async #find(options: QueryOptions): Promise<Project[]> {
    const { rows } = await this.storage.execute(this.storage.prepare('all', Project, options));
    return rows as unknown[] as Project[];
  }
}
