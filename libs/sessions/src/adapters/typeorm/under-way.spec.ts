import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { lastWait, UnderWay } from './under-way.js';

describe('what is under way', () => {
  let underWay: UnderWay;
  let application: AbortController;
  let broken: string[];
  beforeEach(() => {
    vi.useFakeTimers();
    underWay = new UnderWay();
    application = new AbortController();
    underWay.endWith(application.signal);
    broken = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Starts to wait. Returns how to end that. */
  function begin(name: string): () => void {
    const call = underWay.begin(() => broken.push(name));
    return () => underWay.end(call);
  }

  const pass = (ms: number): unknown => vi.advanceTimersByTime(ms);
  const ask = (): void => underWay.check('sessions');

  it('waits for any time before the application ends', () => {
    begin('a change');
    pass(10 * lastWait.ms);
    expect(broken).toEqual([]);
  });

  it('is broken off when it has waited for too long after that, and then nothing is begun', () => {
    begin('a change');
    pass(lastWait.ms);
    application.abort();
    pass(lastWait.ms - 1);
    begin('a later one');
    expect(broken).toEqual([]);
    expect(ask).not.toThrow();
    pass(2);
    expect(broken).toEqual(['a change', 'a later one']);
    expect(ask).toThrow(SessionsUnavailableError);
  });

  it('goes on while each is answered in time', () => {
    const end = begin('a change');
    application.abort();
    pass(lastWait.ms - 1);
    end();
    const endLater = begin('a later one');
    pass(lastWait.ms - 1);
    endLater();
    pass(10 * lastWait.ms);
    expect(broken).toEqual([]);
    expect(ask).not.toThrow();
  });

  it('that is answered in time is so for each of the tables that count its application', () => {
    underWay.endWith(application.signal);
    const end = begin('a change');
    application.abort();
    end();
    pass(10 * lastWait.ms);
    expect(ask).not.toThrow();
  });

  it('is broken off also where it began after the end of the application did', () => {
    application.abort();
    pass(10 * lastWait.ms);
    begin('a change');
    pass(lastWait.ms + 1);
    expect(broken).toEqual(['a change']);
  });

  it('waits for the last of the applications that it is for', () => {
    const second = new AbortController();
    for (const { signal } of [application, second]) underWay.endWith(signal);
    begin('a change');
    application.abort();
    pass(10 * lastWait.ms);
    expect(broken).toEqual([]);
    second.abort();
    pass(lastWait.ms + 1);
    expect(broken).toEqual(['a change']);
  });

  it('begins again for an application that comes later', () => {
    begin('a change');
    application.abort();
    pass(lastWait.ms + 1);
    underWay.endWith(new AbortController().signal);
    expect(ask).not.toThrow();
    broken = [];
    begin('a later one');
    pass(10 * lastWait.ms);
    expect(broken).toEqual([]);
  });

  it('of an application that comes in time is not broken off', () => {
    begin('a change');
    application.abort();
    underWay.endWith(new AbortController().signal);
    pass(10 * lastWait.ms);
    expect(broken).toEqual([]);
  });
});
