import { Body, Get, HttpCode, HttpStatus, Param, Post, Query, Redirect } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { body, NAME, someOf } from '../http/schemas.js';
import { KEY_SCOPES } from '../projects/api-keys.js';
import { ProjectKeys } from '../projects/project-keys.js';
import { ProjectsService } from '../projects/projects.service.js';
import { InvalidForm, listed, received } from './forms.js';
import { after } from './notices.js';
import { keysPage, projectsPage } from './pages/keys.pages.js';
import { type Next, PageController, PostForm } from './routes.js';

const NEW_PROJECT = body({ name: NAME });
const NEW_KEY = body({ name: NAME, scopes: someOf(KEY_SCOPES) });

type Sent = Readonly<Record<string, unknown>> | undefined;

/** Pages of projects and their keys. */
@PageController('account/keys')
export class ProjectPagesController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly keys: ProjectKeys,
  ) {}

  @Get()
  async showProjects(@CurrentSession('userId') userId: string): Promise<string> {
    return projectsPage({ projects: await this.projects.list(userId) });
  }

  @PostForm()
  async makeProject(@CurrentSession('userId') userId: string, @Body() sent: Sent): Promise<Next> {
    const { state, value } = received(NEW_PROJECT, sent);
    if (!value) throw new InvalidForm(projectsPage({ projects: await this.projects.list(userId), state }));
    const { id } = await this.projects.create(userId, value.name);
    return after('project-made', `/account/keys/${id}`);
  }

  @Get(':id')
  async showKeys(
    @CurrentSession('userId') userId: string,
    @Param('id') id: string,
    @Query('done') done: unknown,
  ): Promise<string> {
    const project = await this.projects.getOwn(userId, id);
    return keysPage({ project, keys: await this.keys.list(userId, id), done });
  }

  /** The response itself shows the key. A redirect would need the key to be stored. */
  @Post(':id')
  @HttpCode(HttpStatus.CREATED)
  async makeKey(
    @CurrentSession('userId') userId: string,
    @Param('id') id: string,
    @Body() sent: Sent,
  ): Promise<string> {
    const project = await this.projects.getOwn(userId, id);
    const { state, value } = received(NEW_KEY, { ...sent, scopes: listed(sent?.['scopes']) });
    if (!value) throw new InvalidForm(keysPage({ project, keys: await this.keys.list(userId, id), state }));
    const shown = await this.keys.create(userId, id, value);
    return keysPage({ project, keys: await this.keys.list(userId, id), shown });
  }

  @Post(':id/:keyId/rotate')
  @HttpCode(HttpStatus.OK)
  async rotate(
    @CurrentSession('userId') userId: string,
    @Param('id') id: string,
    @Param('keyId') keyId: string,
  ): Promise<string> {
    const project = await this.projects.getOwn(userId, id);
    const shown = await this.keys.rotate(userId, id, keyId);
    return keysPage({ project, keys: await this.keys.list(userId, id), shown });
  }

  /** The URL after a rotation. A reload shows the list of keys. */
  @Get(':id/:keyId/rotate')
  @Redirect(undefined, HttpStatus.SEE_OTHER)
  leave(@Param('id') id: string): Next {
    return { url: `/account/keys/${encodeURIComponent(id)}` };
  }

  @PostForm(':id/:keyId/revoke')
  async revoke(
    @CurrentSession('userId') userId: string,
    @Param('id') id: string,
    @Param('keyId') keyId: string,
  ): Promise<Next> {
    const revoked = await this.keys.revoke(userId, id, keyId);
    return after(revoked ? 'key-revoked' : 'key-gone', `/account/keys/${id}`);
  }
}
