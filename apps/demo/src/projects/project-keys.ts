import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import type { NewSessionOf, WithToken } from '@app/sessions';
import { type ApiKey, ApiKeys } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const LISTED = 100;

/**
 * The keys of a user's projects.
 *
 * @throws NotFoundException from each method, if the user has no such project
 */
@Injectable()
export class ProjectKeys {
  constructor(
    private readonly projects: ProjectsService,
    private readonly keys: ApiKeys,
  ) {}

  /** A new key. Only the result contains it, since the database has only its digest. */
  async create(
    userId: string,
    projectId: string,
    attributes: Pick<NewSessionOf<ApiKeys>, 'name' | 'scopes'>,
  ): Promise<WithToken<ApiKey>> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return this.keys.create({ projectId: id, ...attributes });
  }

  /** The latest hundred keys, including revoked ones. */
  async list(userId: string, projectId: string): Promise<ApiKey[]> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return this.keys.list({ projectId: id, status: 'all' }, { take: LISTED });
  }

  /**
   * Replaces a key that may have leaked. The old one works for a day; using it later ends both.
   *
   * @throws NotFoundException if the project has no such valid key
   * @throws ConflictException if another request has just rotated it
   */
  async rotate(userId: string, projectId: string, keyId: string): Promise<WithToken<ApiKey>> {
    const project = await this.projects.getOwn(userId, projectId);
    const key = await this.keys.get({ id: keyId, projectId: project.id });
    if (key === null) throw new NotFoundException(NO_SUCH_KEY);
    const rotated = await this.keys.rotate(key);
    if (rotated === null) throw new ConflictException('Another request has just rotated the key.');
    return rotated;
  }

  /** Revokes a key; `false` if the project has no such valid key. */
  async revoke(userId: string, projectId: string, keyId: string): Promise<boolean> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return (await this.keys.revokeAll({ id: keyId, projectId: id }, { reason: 'administrative' })) > 0;
  }
}

export const NO_SUCH_KEY = 'The project has no such key, or it was revoked.';
