import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import { filter, map, type Subscription } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BaseSession } from '../session/session.js';
import { listenerFailed, noEventType } from './messages.js';
import type { SessionEvent } from './session-event.js';
import { SessionEvents, type TableEvents, TYPES } from './session-events.js';

const NOW = new Date('2026-01-01T00:00:00.123Z');
const session = { id: 's1', data: {} } as BaseSession;

describe('SessionEvents', () => {
  let events: SessionEvents;
  let table: TableEvents;
  let other: TableEvents;
  /** How often the time was read, which is how many events were created. */
  let made: number;
  let heard: unknown[];
  const hear = (event: unknown): unknown => heard.push(event);
  beforeEach(() => {
    made = 0;
    heard = [];
    events = new SessionEvents();
    table = events.of('sessions', () => {
      made += 1;
      return NOW;
    });
    other = events.of('sessions', () => NOW);
  });
  afterEach(() => {
    unsubscribe('nest-sessions:created', hear);
  });

  it('adds the table and the time', () => {
    events.all.subscribe(hear);
    table.emit({ type: 'revoked', session, reason: 'signed_out' });
    expect(heard).toEqual([{ type: 'revoked', session, reason: 'signed_out', table: 'sessions', at: NOW }]);
  });

  it('gives the same object to the channel, to those of the table, and to those of all tables, in this order', () => {
    const order: string[] = [];
    const noted = (who: string) => (event: unknown) => {
      order.push(who);
      heard.push(event);
    };
    const byChannel = noted('channel');
    events.all.subscribe(noted('all'));
    table.all.subscribe(noted('table'));
    subscribe('nest-sessions:created', byChannel);
    table.emit({ type: 'created', session });
    unsubscribe('nest-sessions:created', byChannel);
    expect(order).toEqual(['channel', 'table', 'all']);
    expect(new Set(heard).size).toBe(1);
  });

  it('keeps tables apart, also those that share a name', () => {
    table.all.subscribe(hear);
    other.emit({ type: 'created', session });
    expect(heard).toEqual([]);
    table.emit({ type: 'created', session });
    expect(heard).toHaveLength(1);
  });

  it('wants nothing, and makes no event, where nobody listens', () => {
    expect(table.wants('created')).toBe(false);
    table.emit({ type: 'created', session });
    expect(made).toBe(0);
  });

  it.each([
    ['to its table', () => table.all],
    ['to all tables', () => events.all],
  ])('wants everything while somebody listens %s, and no longer', (_, all) => {
    const listening = all().subscribe(hear);
    expect([table.wants('created'), table.wants('refused')]).toEqual([true, true]);
    listening.unsubscribe();
    expect([table.wants('created'), table.wants('refused')]).toEqual([false, false]);
  });

  it('wants what a channel is for, of every table, and nothing else', () => {
    subscribe('nest-sessions:created', hear);
    expect([table.wants('created'), other.wants('created'), table.wants('refused')]).toEqual([true, true, false]);
    table.emit({ type: 'refused', reason: 'malformed' });
    expect(heard).toEqual([]);
    expect(made).toBe(0);
  });

  it('has a channel for every type', () => {
    const types: SessionEvent['type'][] = ['pruned', 'used', 'refreshed', 'rotated', 'reauthenticated', 'expired'];
    for (const type of types) {
      subscribe(`nest-sessions:${type}`, hear);
      expect(table.wants(type)).toBe(true);
      unsubscribe(`nest-sessions:${type}`, hear);
      expect(channel(`nest-sessions:${type}`).hasSubscribers).toBe(false);
    }
  });

  it('can be listened to, and not told anything, from outside', () => {
    expect('next' in events.all).toBe(false);
    expect('next' in table.all).toBe(false);
  });

  it('tells nothing after its end', () => {
    let completed = false;
    events.all.subscribe({ next: hear, complete: () => (completed = true) });
    events.complete();
    expect(completed).toBe(true);
    expect(table.wants('created')).toBe(false);
    table.emit({ type: 'created', session });
    expect(heard).toEqual([]);
  });

  describe('of some types', () => {
    it.each([
      ['of a table', () => table.only(['revoked', 'created', 'revoked'])],
      ['of all tables', () => events.only('revoked', 'created', 'revoked')],
    ])('are told %s, each once, and nothing else is wanted', (_, only) => {
      const listening = only().subscribe(hear);
      expect([table.wants('created'), table.wants('revoked'), table.wants('used')]).toEqual([true, true, false]);
      table.emit({ type: 'used', session });
      table.emit({ type: 'created', session });
      table.emit({ type: 'revoked', session, reason: 'signed_out' });
      expect(heard).toMatchObject([{ type: 'created' }, { type: 'revoked' }]);
      listening.unsubscribe();
      expect(table.wants('created')).toBe(false);
    });

    it('are refused by the name of one that there is not, and where none is named', () => {
      expect(() => table.only(['revokd' as 'revoked'])).toThrow(noEventType(['revokd'], TYPES));
      expect(() => table.only([])).toThrow(noEventType([], TYPES));
    });

    it('end with all others', () => {
      let completed = 0;
      events.only('used').subscribe({ complete: () => completed++ });
      table.only(['used']).subscribe({ complete: () => completed++ });
      events.complete();
      expect(completed).toBe(2);
    });
  });

  describe('whose listeners throw', () => {
    /** The logged text. */
    let said: unknown[];
    beforeEach(() => {
      said = [];
      vi.spyOn(Logger.prototype, 'error').mockImplementation((message) => said.push(message));
    });
    afterEach(() => void vi.restoreAllMocks());

    const fail = (): never => {
      throw new Error('no room');
    };

    it.each<[string, () => Subscription]>([
      ['as a function', () => table.all.subscribe(fail)],
      ['as an object', () => table.all.subscribe({ next: fail })],
      ['behind operators', () => table.all.pipe(filter(({ type }) => type === 'created')).subscribe(fail)],
      ['of some types', () => table.only(['created']).subscribe(fail)],
    ])('%s, are told the next one too, and so is everybody else; the log says it once', (_, listen) => {
      listen();
      table.all.subscribe(hear);
      for (let i = 0; i < 3; i++) table.emit({ type: 'created', session });
      expect(heard).toHaveLength(3);
      expect(said).toEqual([listenerFailed('table "sessions"', 'no room')]);
    });

    it('in an operator, end for themselves alone', () => {
      events.all.pipe(map(fail)).subscribe(hear);
      events.all.subscribe(hear);
      for (let i = 0; i < 2; i++) table.emit({ type: 'created', session });
      expect(heard).toHaveLength(2);
      expect(said).toEqual([listenerFailed('all tables', 'no room')]);
    });

    it('in an operator, are told so where they ask', () => {
      let told: unknown;
      events.all.pipe(map(fail)).subscribe({ error: (error: unknown) => (told = error) });
      table.emit({ type: 'created', session });
      expect(told).toEqual(new Error('no room'));
      expect(said).toEqual([]);
    });
  });
});
