import { HttpException } from '@nestjs/common';
import { beforeAll, describe, expect, it } from 'vitest';
import * as library from '@app/sessions';
import { useCompiledLibrary } from '../support/compiled-library.js';
import { BODIES, type ErrorName, oneOfEach } from './one-of-each.js';

/** The copy that the tests import. */
const ours = { ...library };

describe('errors of another copy of the package', () => {
  const address = useCompiledLibrary();
  let copy: typeof library;
  beforeAll(async () => {
    copy = (await import(/* @vite-ignore */ address())) as typeof library;
  });

  it('are made by other classes', () => {
    for (const name of Object.keys(oneOfEach()) as ErrorName[]) {
      expect(copy[name]).not.toBe(ours[name]);
      expect(oneOfEach(copy)[name].constructor).toBe(copy[name]);
    }
  });

  it.each(Object.keys(oneOfEach()) as ErrorName[])('are known as what they are, both ways: %s', (name) => {
    for (const [here, there] of [
      [ours, copy],
      [copy, ours],
    ] as const) {
      const error: unknown = oneOfEach(there)[name];
      expect(error instanceof here.SessionsError).toBe(true);
      expect(here.SessionsError.is(error)).toBe(true);
      const known = (Object.keys(oneOfEach()) as ErrorName[]).filter((other) => error instanceof here[other]);
      expect(known).toEqual([name]);
      expect(error instanceof HttpException).toBe(BODIES[name] !== undefined);
    }
  });
});
