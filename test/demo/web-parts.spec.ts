import * as fc from 'fast-check';
import { QueryFailedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { chart } from '../../apps/demo/src/web/chart.js';
import { deviceName } from '../../apps/demo/src/web/device-name.js';
import { partOf } from '../../apps/demo/src/web/elements.js';
import { html } from '../../apps/demo/src/web/html.js';
import { isOutage } from '../../apps/demo/src/web/outage.js';
import { ownPath } from '../../apps/demo/src/web/own-path.js';
import { FIREFOX, SAFARI, unescaped } from './support/browser.js';

describe('a template of HTML', () => {
  it('has whatever text there is as text, in content and in attributes (ASVS 1.2.1)', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', ';', '/', 'script', 'lt', '#39', ' ') }),
    );
    const property = fc.property(nasty, (text) => {
      const [, title = '', content = ''] = /^<p title="([^"<>]*)">([^<>"]*)<\/p>$/.exec(
        html`<p title="${text}">${text}</p>`.toString(),
      )!;
      expect(unescaped(title)).toBe(text);
      expect(unescaped(content)).toBe(text);
    });
    fc.assert(property);
  });

  it('has what is HTML already as it is, and lists one after another', () => {
    expect(html`<b>${['<', html`<i>${1}</i>`]}</b>`.toString()).toBe('<b>&lt;<i>1</i></b>');
  });

  it('has nothing for what is not there, but for 0', () => {
    expect(html`${undefined}${null}${false}${0}`.toString()).toBe('0');
  });

  it('takes no object for HTML that only looks like it', () => {
    const forged = { text: '<script>', toString: () => '<script>' };
    expect(() => html`${forged as never}`.toString()).toThrow(TypeError);
  });
});

describe('the way back', () => {
  const HOME = '/account/devices';

  it.each([
    ['/account/keys', '/account/keys'],
    ['/account/devices?show=ended&page=2', '/account/devices?show=ended&page=2'],
    ['account/keys', '/account/keys'],
    ['https://evil.example/', HOME],
    ['//evil.example', HOME],
    ['/\\evil.example', HOME],
    ['/\t/evil.example', HOME],
    ['/.//evil.example', HOME],
    ['/x/..//evil.example', HOME],
    ['javascript:alert(1)', HOME],
    ['', '/'],
    [undefined, HOME],
    [['/account/keys', '/'], HOME],
  ])('from %j is to %s', (address, path) => {
    expect(ownPath(address)).toBe(path);
  });

  it('never is to another host, whatever is asked for (ASVS 3.7.2)', () => {
    const address = fc.string({
      unit: fc.constantFrom('/', '\\', '.', ':', '@', '?', '#', '\t', '%2f', 'evil.example'),
    });
    const property = fc.property(address, (text) => {
      expect(new URL(ownPath(text), 'https://demo.example').origin).toBe('https://demo.example');
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

it.each([
  [FIREFOX, 'Firefox on Linux'],
  [SAFARI, 'Safari on iPhone'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    'Chrome on Windows',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
    'Microsoft Edge on Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 OPR/124.0.0.0',
    'Opera on macOS',
  ],
  [
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36',
    'Samsung Internet for Android',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1',
    'Chrome on iPad',
  ],
  [
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    'Chrome on Chrome OS',
  ],
  ['curl/8.5.0', 'curl/8.5.0'],
  ['laptop', 'laptop'],
  ['x'.repeat(255), `${'x'.repeat(60)}…`],
  [' ', 'Unknown device'],
  [null, 'Unknown device'],
])('a device is called by its browser and its system: %s', (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});

it.each([
  [1000, '2', { page: 2, pages: 50, skip: 20 }],
  [1000, undefined, { page: 1, pages: 50, skip: 0 }],
  [1000, '51', { page: 50, skip: 980 }],
  [1000, '1e999', { page: 50 }],
  [1000, '-1', { page: 1 }],
  [1000, '2.9', { page: 2 }],
  [1000, ['2', '3'], { page: 1 }],
  [1000, 'x', { page: 1 }],
  [0, '2', { page: 1, pages: 1, skip: 0 }],
])('of %d in a list the part that is asked for is shown, or the nearest: %j', (total, asked, part) => {
  expect(partOf(total, asked)).toMatchObject({ ...part, take: 20 });
});

it.each([
  ['a port that nobody listens at', Object.assign(new Error(), { code: 'ECONNREFUSED' }), true],
  ['several of them', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), true],
  ['a server that goes down', failed(Object.assign(new Error('shutting down'), { code: '57P01' })), true],
  ['a connection that breaks', failed(new Error('Connection terminated unexpectedly')), true],
  ['a pool without a free connection', new Error('timeout exceeded when trying to connect'), true],
  ['a statement that is wrong', failed(Object.assign(new Error('syntax error'), { code: '42601' })), false],
  ['a mistake of ours', new TypeError('x is undefined'), false],
  ['what is no error', 'ECONNREFUSED', false],
])('an outage of the database is told from other errors: %s', (_, error, is) => {
  expect(isOutage(error)).toBe(is);
});

function failed(driverError: Error): Error {
  return new QueryFailedError('SELECT 1', [], driverError);
}

describe('the chart', () => {
  const DAYS = [
    { day: '2026-03-01', created: 4, pruned: 0 },
    { day: '2026-03-02', created: 1, pruned: 2 },
  ];

  it('has bars as high as what they stand for', () => {
    const heights = [
      ...chart(DAYS)
        .toString()
        .matchAll(/<rect class="(\w+)"[^>]* height="([\d.]+)"/g),
    ];
    expect(heights.map(([, kind, height]) => `${kind} ${height}`)).toEqual([
      'created 100',
      'pruned 0',
      'created 25',
      'pruned 50',
    ]);
  });

  it('says in words what it shows, to who cannot see it', () => {
    expect(/aria-label="([^"]*)"/.exec(chart(DAYS).toString())?.[1]).toBe(
      'From 2026-03-01 to 2026-03-02, 5 sessions were created and 2 deleted after their end. The most on one day were 4.',
    );
  });

  it('can be drawn when nothing has happened', () => {
    expect(chart([{ day: '2026-03-01', created: 0, pruned: 0 }]).toString()).not.toMatch(/NaN|Infinity/);
  });
});
