import { describe, expect, it } from 'vitest';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { UnderWay } from './under-way.js';

describe('what is under way', () => {
  it('is broken off with the last of the applications that it is for', () => {
    const underWay = new UnderWay();
    const [first, second] = [new AbortController(), new AbortController()];
    let broken = 0;
    underWay.add(() => broken++);
    for (const { signal } of [first, first, second]) underWay.endWith(signal);
    first.abort();
    expect(() => underWay.check('sessions')).not.toThrow();
    expect(broken).toBe(0);
    second.abort();
    expect(broken).toBe(1);
    expect(() => underWay.check('sessions')).toThrow(SessionsUnavailableError);
  });

  it('begins again for an application that comes later', () => {
    const underWay = new UnderWay();
    const first = new AbortController();
    underWay.endWith(first.signal);
    first.abort();
    underWay.endWith(new AbortController().signal);
    expect(() => underWay.check('sessions')).not.toThrow();
  });

  it('is not broken off when it has ended', () => {
    const underWay = new UnderWay();
    const application = new AbortController();
    underWay.endWith(application.signal);
    let broken = 0;
    const breakOff = (): number => broken++;
    underWay.add(breakOff);
    underWay.delete(breakOff);
    application.abort();
    expect(broken).toBe(0);
  });
});
