import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import type { NewSessionOf, WithToken } from '@app/sessions';
import { type ApiKey, ApiKeys } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const LISTED = 100;

/**
 * The keys of the projects of a user.
 *
 * @throws NotFoundException from each method, where the user has no such project
 */
@Injectable()
export class ProjectKeys {
  constructor(
    private readonly projects: ProjectsService,
    private readonly keys: ApiKeys,
  ) {}

  /** A new key; it is on what is returned and nowhere else, since the database has only its digest. */
  async create(
    userId: string,
    projectId: string,
    attributes: Pick<NewSessionOf<ApiKeys>, 'name' | 'scopes'>,
  ): Promise<WithToken<ApiKey>> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return this.keys.create({ projectId: id, ...attributes });
  }

  /** The latest hundred keys, revoked ones too. */
  async list(userId: string, projectId: string): Promise<ApiKey[]> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return this.keys.list({ projectId: id, status: 'all' }, { take: LISTED });
  }

  /**
   * A new key for one that may be known to others. The one before works for a day; whoever uses it later ends both.
   *
   * @throws NotFoundException where the project has no such valid key
   * @throws ConflictException where another request has just rotated it
   */
  async rotate(userId: string, projectId: string, keyId: string): Promise<WithToken<ApiKey>> {
    const project = await this.projects.getOwn(userId, projectId);
    const key = await this.keys.get({ id: keyId, projectId: project.id });
    if (key === null) throw new NotFoundException(NO_SUCH_KEY);
    const rotated = await this.keys.rotate(key);
    if (rotated === null) throw new ConflictException('Another request has just rotated the key.');
    return rotated;
  }

  /** Ends a key now; `false` where the project has no such valid key. */
  async revoke(userId: string, projectId: string, keyId: string): Promise<boolean> {
    const { id } = await this.projects.getOwn(userId, projectId);
    return (await this.keys.revokeAll({ id: keyId, projectId: id }, { reason: 'administrative' })) > 0;
  }
}

export const NO_SUCH_KEY = 'The project has no such key, or it was revoked.';
