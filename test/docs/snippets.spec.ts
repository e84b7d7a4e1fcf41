import { beforeAll, describe, expect, it } from 'vitest';
import { DOCUMENTS, read } from './documents.js';
import { fencesOf } from './markdown.js';
import { allSnippets, compile, type Snippet } from './snippets.js';

const snippets = allSnippets();
const wrong = [
  'const a: number = token;',
  'await sessions.create({});',
  'sessions.list({ nobody: 1 });',
  'unknownName();',
  'if (',
].map((code, i) => ({ file: 'wrong.md', line: i + 1, code }));

describe('snippets', () => {
  let problemsOf: (snippet: Snippet) => string[];
  beforeAll(() => {
    problemsOf = compile([...snippets, ...wrong]);
  });

  it.each(snippets.map((snippet) => ({ ...snippet, place: `${snippet.file}:${snippet.line}` })))(
    '$place compiles as strictly as the project itself',
    (snippet) => {
      expect(problemsOf(snippet)).toEqual([]);
    },
  );

  it('are found in the documents and in the docstrings', () => {
    const files = new Set(snippets.map(({ file }) => file));
    expect([...files]).toEqual(
      expect.arrayContaining(['README.md', 'docs/guard.md', 'libs/sessions/src/service/session-query.ts']),
    );
    expect(snippets.length).toBeGreaterThan(40);
  });

  it.each(wrong)('that are wrong are found to be so: $code', (snippet) => {
    expect(problemsOf(snippet)[0]).toMatch(new RegExp(`^wrong\\.md:${snippet.line} `));
  });

  it.each(DOCUMENTS)('%s marks every block with a language that is checked, or that is no code of ours', (file) => {
    const languages = fencesOf(read(file)).map(({ language }) => language);
    expect(languages.filter((language) => !['ts', 'bash', 'prisma', 'text', 'sql'].includes(language))).toEqual([]);
  });
});
