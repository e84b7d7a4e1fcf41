import { BadRequestException } from '@nestjs/common';
import type { z } from 'zod';
import { type Content, type Html, html } from './html.js';

/** The problems of a form, by field. */
export type Problems = Readonly<Record<string, string>>;

/** A form to show: empty, or with what was typed and its problems. */
export interface FormState {
  readonly typed: Readonly<Record<string, unknown>>;
  readonly problems: Problems;
}

export const EMPTY: FormState = { typed: {}, problems: {} };

/** A rejected form, with the page that shows it again. */
export class InvalidForm extends BadRequestException {
  constructor(readonly page: string) {
    super();
  }
}

/** Parses a submitted form: its value, or its problems. Empty fields count as missing. */
export function received<T>(schema: z.ZodType<T>, sent: unknown): { state: FormState; value?: T } {
  const typed = Object.fromEntries(Object.entries(sent ?? {}));
  const filled = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));
  const { data, error } = schema.safeParse(filled);
  if (!error) return { state: { typed, problems: {} }, value: data };
  const problems = error.issues.map(({ path: [name = ''], message }) => [name, message]);
  return { state: { typed, problems: Object.fromEntries(problems) as Problems } };
}

/** The same form with problems that only the application knows. */
export function refused({ typed }: FormState, problems: Problems): FormState {
  return { typed, problems };
}

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'email' | 'password' | 'text';
  readonly autocomplete: string;
  readonly hint?: string;
  readonly min?: number;
  readonly max?: number;
}

/** A field with its label, hint and problem, which screen readers read with it. */
export function field(state: FormState, { name, label, type, autocomplete, hint, min, max }: Field): Html {
  const problem = state.problems[name];
  const described = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`} ${problemOf(state, name, label)}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      required
      ${min && html`minlength="${min}"`}
      ${max && html`maxlength="${max}"`}
      ${type !== 'password' && html`value="${typedIn(state, name)}"`}
      ${described && html`aria-describedby="${described}"`}
      ${problem && html`aria-invalid="true"`}
      ${Object.keys(state.problems)[0] === name && html`autofocus`}
    />
  </div>`;
}

interface Choices {
  readonly name: string;
  readonly legend: string;
  readonly choices: readonly (readonly [value: string, label: Content])[];
}

/** Checkboxes, of which at least one has to be ticked. */
export function checkboxes(state: FormState, { name, legend, choices }: Choices): Html {
  const ticked = listed(state.typed[name]);
  const problem = state.problems[name];
  return html`<fieldset id="${name}" ${problem && html`aria-describedby="${name}-problem"`} tabindex="-1">
    <legend>${legend}</legend>
    ${problemOf(state, name, legend)}
    ${choices.map(
      ([value, label]) =>
        html`<label class="choice">
          <input type="checkbox" name="${name}" value="${value}" ${ticked.includes(value) && html`checked`} />
          <span>${label}</span>
        </label>`,
    )}
  </fieldset>`;
}

/** The problems of a form, at its top, with links to the fields. */
export function problemSummary({ problems }: FormState, labels: Readonly<Record<string, string>>): Html | false {
  const entries = Object.entries(problems);
  if (entries.length === 0) return false;
  return html`<div class="notice problem" role="alert">
    <p>Please correct the following:</p>
    <ul>
      ${entries.map(([name, text]) => html`<li><a href="#${name}">${sentence(labels[name] ?? '', text)}</a></li>`)}
    </ul>
  </div>`;
}

export function hasProblems({ problems }: FormState): boolean {
  return Object.keys(problems).length > 0;
}

/** The ticked checkboxes. Browsers send a single one as text, and none as nothing. */
export function listed(sent: unknown): unknown[] {
  if (sent === undefined) return [];
  return Array.isArray(sent) ? sent : [sent];
}

function problemOf({ problems }: FormState, name: string, label: string): Html | false {
  const text = problems[name];
  return text !== undefined && html`<p class="problem" id="${name}-problem">${sentence(label, text)}</p>`;
}

/** A problem continues the name of its field, such as "is required", unless it is a sentence. */
function sentence(label: string, text: string): string {
  return text.endsWith('.') ? text : `${label} ${text}.`;
}

function typedIn({ typed }: FormState, name: string): string {
  const value = typed[name];
  return typeof value === 'string' ? value : '';
}
