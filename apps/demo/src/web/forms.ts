import { BadRequestException } from '@nestjs/common';
import type { z } from 'zod';
import { type Content, type Html, html } from './html.js';

/** What is wrong with the fields of a form, by their names. */
export type Problems = Readonly<Record<string, string>>;

/** A form as it is shown: empty, or again with what was typed, and with what is wrong with it. */
export interface FormState {
  readonly typed: Readonly<Record<string, unknown>>;
  readonly problems: Problems;
}

export const EMPTY: FormState = { typed: {}, problems: {} };

/** A form that is not accepted, with the page that shows it again. */
export class InvalidForm extends BadRequestException {
  constructor(readonly page: string) {
    super();
  }
}

/** A form as it came: what the schema makes of it, or else what is wrong. What is left empty counts as not there. */
export function received<T>(schema: z.ZodType<T>, sent: unknown): { state: FormState; value?: T } {
  const typed = Object.fromEntries(Object.entries(sent ?? {}));
  const filled = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));
  const { data, error } = schema.safeParse(filled);
  if (!error) return { state: { typed, problems: {} }, value: data };
  const problems = error.issues.map(({ path: [name = ''], message }) => [name, message]);
  return { state: { typed, problems: Object.fromEntries(problems) as Problems } };
}

/** The same form with something wrong that only the application can know. */
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

/** A field with its label, its hint, and what is wrong with it, which are read out with it. */
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

/** Boxes of which one or more are to be ticked. */
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

/** What is wrong with a form, at its top, with links to the fields. */
export function problemSummary({ problems }: FormState, labels: Readonly<Record<string, string>>): Html | false {
  const entries = Object.entries(problems);
  if (entries.length === 0) return false;
  return html`<div class="notice problem" role="alert">
    <p>Please look at this again:</p>
    <ul>
      ${entries.map(([name, text]) => html`<li><a href="#${name}">${sentence(labels[name] ?? '', text)}</a></li>`)}
    </ul>
  </div>`;
}

export function hasProblems({ problems }: FormState): boolean {
  return Object.keys(problems).length > 0;
}

/** The boxes that were ticked: browsers send one as text, and none not at all. */
export function listed(sent: unknown): unknown[] {
  if (sent === undefined) return [];
  return Array.isArray(sent) ? sent : [sent];
}

function problemOf({ problems }: FormState, name: string, label: string): Html | false {
  const text = problems[name];
  return text !== undefined && html`<p class="problem" id="${name}-problem">${sentence(label, text)}</p>`;
}

/** What is wrong is said of a field, such as "is required", unless it is a sentence already. */
function sentence(label: string, text: string): string {
  return text.endsWith('.') ? text : `${label} ${text}.`;
}

function typedIn({ typed }: FormState, name: string): string {
  const value = typed[name];
  return typeof value === 'string' ? value : '';
}
