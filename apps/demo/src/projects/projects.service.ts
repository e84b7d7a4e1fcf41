import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Project } from './project.entity.js';

@Injectable()
export class ProjectsService {
  constructor(@InjectRepository(Project) private readonly projects: Repository<Project>) {}

  async create(userId: string, name: string): Promise<Pick<Project, 'id' | 'name'>> {
    const id = randomUUID();
    await this.projects.insert({ id, name, userId });
    return { id, name };
  }

  async list(userId: string): Promise<Pick<Project, 'id' | 'name'>[]> {
    return this.projects.find({ where: { userId }, select: { id: true, name: true }, order: { name: 'ASC' } });
  }

  async get(id: string): Promise<Project> {
    return this.projects.findOneByOrFail({ id });
  }

  /** A project of this user. @throws NotFoundException for another user's as for one that does not exist */
  async getOwn(userId: string, id: string): Promise<Project> {
    const project = await this.projects.findOneBy({ id, userId });
    if (project === null) throw new NotFoundException('You have no such project.');
    return project;
  }
}
