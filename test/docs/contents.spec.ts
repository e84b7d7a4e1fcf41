import { describe, expect, it } from 'vitest';
import { read } from './documents.js';
import { anchorsOf, fencesOf, linksOf, sectionOf } from './markdown.js';

const contents = sectionOf(read('README.md'), 'contents');

describe('the contents of the README', () => {
  it('lead to each of its headings', () => {
    const headings = read('README.md').matchAll(/^##+ .+$/gm);
    const anchors = anchorsOf([...headings].map(([heading]) => heading).join('\n'));
    const others = ['contents', 'recipes'];
    expect(anchors.filter((anchor) => !others.includes(anchor) && !linksOf(contents).includes(`#${anchor}`))).toEqual(
      [],
    );
  });

  it.each([
    'list devices',
    'current user',
    'roles',
    'rate limit',
    'GraphQL',
    'remember me',
    'upgrade',
    'log out on password change',
  ])('lead who looks for "%s" to an answer with code', (phrase) => {
    const [path = '', anchor] = addressOf(phrase).split('#');
    const document = read(path === '' ? 'README.md' : path);
    const section = anchor === undefined ? document : sectionOf(document, anchor);
    expect(fencesOf(section).map(({ language }) => language)).toContain('ts');
  });
});

/** Where the first link with a text leads. */
function addressOf(text: string): string {
  return new RegExp(String.raw`\[[^\]]*${text}[^\]]*\]\(([^)]+)\)`).exec(contents)?.[1] ?? `no link "${text}"`;
}
