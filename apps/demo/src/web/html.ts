/** HTML text. Only {@link html} creates it, so everything in a page is escaped. */
class Markup {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

export type Html = Markup;

/** A value in a template. `undefined`, `null` and `false` render nothing. */
export type Content = Html | string | number | undefined | null | false | readonly Content[];

/**
 * HTML in which every value is escaped, unless it is HTML itself. Attributes must be in double quotes.
 *
 * @example
 * ```ts
 * html`<p title="${name}">${html`<em>${name}</em>`}</p>`;
 * ```
 */
export function html(template: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Markup(String.raw({ raw: template }, ...values.map(textOf)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(value: Content): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'object') return value.map(textOf).join('');
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
