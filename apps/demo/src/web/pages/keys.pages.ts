import type { WithToken } from '@app/sessions';
import { type ApiKey, KEY_SCOPES } from '../../projects/api-keys.js';
import type { Project } from '../../projects/project.entity.js';
import { statusOf } from '../../sessions/status.js';
import { button, type Column, guarded, table, time } from '../elements.js';
import { checkboxes, EMPTY, field, type FormState, hasProblems, problemSummary } from '../forms.js';
import { type Html, html } from '../html.js';
import { pageOf } from '../layout.js';

const PATH = '/account/keys';
const NAME = { name: 'name', label: 'Name', type: 'text', autocomplete: 'off', max: 100 } as const;

type Named = Pick<Project, 'id' | 'name'>;

interface Projects {
  readonly projects: readonly Named[];
  readonly state?: FormState;
}

export function projectsPage({ projects, state = EMPTY }: Projects): string {
  const main = html`<h1>API keys</h1>
    <p>
      A key lets a machine use the API for one of your projects, without your password, and only for what you allow.
    </p>
    ${problemSummary(state, { name: NAME.label })}
    ${
      projects.length === 0
        ? html`<p class="empty">You have no projects yet. Create one, and then its keys.</p>`
        : html`<ul class="cards">
            ${projects.map(({ id, name }) => html`<li><a class="card" href="${PATH}/${id}">${name}</a></li>`)}
          </ul>`
    }
    <section class="card" aria-labelledby="new-project">
      <h2 id="new-project">New project</h2>
      <form method="post" action="${PATH}">
        ${field(state, NAME)}
        <button>Create the project</button>
      </form>
    </section>`;
  return pageOf({ title: 'API keys', of: 'user', path: PATH, main, hasProblems: hasProblems(state) });
}

interface Keys {
  readonly project: Named;
  readonly keys: readonly ApiKey[];
  readonly state?: FormState;
  /** A key that was just created or rotated. Only this page ever shows it. */
  readonly shown?: WithToken<ApiKey>;
  readonly done?: unknown;
}

/** The default choices of an empty form. */
const NEW_KEY: FormState = { typed: { scopes: ['project:read'] }, problems: {} };

const SCOPES: Readonly<Record<(typeof KEY_SCOPES)[number], string>> = {
  'project:read': 'read the project',
  'project:write': 'rename the project',
};

export function keysPage({ project, keys, state = NEW_KEY, shown, done }: Keys): string {
  const path = `${PATH}/${project.id}`;
  const main = html`<p class="crumbs"><a href="${PATH}">API keys</a></p>
    <h1>${project.name}</h1>
    ${shown && newKey(shown, path)} ${problemSummary(state, { name: NAME.label, scopes: 'Scopes' })}
    ${
      keys.length === 0
        ? html`<p class="empty">The project has no keys yet.</p>`
        : table(`Keys of ${project.name}`, columnsAt(path), keys)
    }
    <section class="card" aria-labelledby="new-key">
      <h2 id="new-key">New key</h2>
      <form method="post" action="${path}">
        ${field(state, { ...NAME, hint: 'What will use it, such as “build server”.' })}
        ${checkboxes(state, {
          name: 'scopes',
          legend: 'Scopes',
          choices: KEY_SCOPES.map((scope) => [scope, html`<code>${scope}</code> ${SCOPES[scope]}`]),
        })}
        <button>Create the key</button>
      </form>
    </section>`;
  return pageOf({ title: `Keys of ${project.name}`, of: 'user', path, main, done, hasProblems: hasProblems(state) });
}

function newKey({ name, authToken, rotatedAt }: WithToken<ApiKey>, path: string): Html {
  return html`<section class="notice key" aria-labelledby="shown-key" data-page="${path}">
    <h2 id="shown-key">Your key “${name}”</h2>
    <p>
      Copy it now. It is shown only once, and is not stored.
      ${rotatedAt && 'The previous key works for one more day, so that you can give this one to every machine.'}
    </p>
    <p class="secret">
      <code id="key">${authToken}</code> <button type="button" data-copy="key" hidden>Copy</button>
      <span role="status" id="key-copied"></span>
    </p>
  </section>`;
}

function columnsAt(path: string): readonly Column<ApiKey>[] {
  return [
    { label: 'Name', cell: ({ name }) => name },
    {
      label: 'Scopes',
      cell: ({ scopes }) =>
        html`<ul class="tags">
          ${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}
        </ul>`,
    },
    { label: 'State', cell: stateOf },
    { label: 'Last used', cell: ({ lastUsedAt }) => time(lastUsedAt) },
    { label: 'Created', cell: ({ createdAt }) => time(createdAt) },
    { label: 'Actions', isObvious: true, cell: (key) => actions(key, path) },
  ];
}

function stateOf(key: ApiKey): Html {
  const { status } = statusOf(key);
  if (status !== 'valid') return html`<span class="badge off">${status}</span>`;
  return html`<span class="badge">valid</span>${key.rotatedAt && html` rotated ${time(key.rotatedAt)}`}`;
}

function actions(key: ApiKey, path: string): Html | false {
  if (statusOf(key).status !== 'valid') return false;
  return html`<div class="actions">
    ${guarded(
      'Rotate…',
      'You get a new key. This one works for one more day.',
      button(`${path}/${key.id}/rotate`, 'Rotate', { of: key.name }),
      key.name,
    )}
    ${guarded(
      'Revoke…',
      'Machines that use it are refused from now on.',
      button(`${path}/${key.id}/revoke`, 'Revoke', { of: key.name, kind: 'danger' }),
      key.name,
    )}
  </div>`;
}
