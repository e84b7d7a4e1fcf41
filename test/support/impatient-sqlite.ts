import { afterAll, beforeAll } from 'vitest';
import { patience } from '../../libs/sessions/src/adapters/typeorm/sqlite/line.js';

/** Has calls on SQLite give up after so many milliseconds what others hold, in a suite whose calls wait for nothing else. */
export function useImpatience(ms = 200): void {
  const usual = patience.ms;
  beforeAll(() => void (patience.ms = ms));
  afterAll(() => void (patience.ms = usual));
}
