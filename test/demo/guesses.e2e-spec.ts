import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigService } from '@nestjs/config';
import { Guesses } from '../../apps/demo/src/guesses/guesses.js';
import { TOO_MANY_REFUSALS } from '../../libs/sessions/src/guard/messages.js';
import { Browser, type Fields } from './support/browser.js';
import { type Answer, DemoApp, type Sent } from './support/demo-app.js';
import { Person } from './support/person.js';

const PASSWORDS = 3;
const TOKENS = 4;
/** Whatever an account has, it is that of this many addresses. */
const ADDRESSES = 8;
const WRONG = 'wrong horse';
const PAGE = { status: 429, heading: 'Too many attempts' };

describe('guesses at the demo', () => {
  let app: DemoApp;
  let ada: Person;
  beforeAll(async () => {
    app = await DemoApp.start('memory:', {
      DEMO_PASSWORD_GUESSES: String(PASSWORDS),
      DEMO_TOKEN_GUESSES: String(TOKENS),
      DEMO_PROXIES: '1',
    });
  });
  // No test has its points from another one.
  beforeEach(async () => {
    ada = await Person.new(app);
  });
  afterAll(() => app.close());

  it('by logging in are answered with 429 after some, also at the same time, and elsewhere the password is good', async () => {
    const [guesser, owner] = [new Client(app), new Client(app)];
    const guesses = await Promise.all(
      Array.from({ length: 60 }, () => guesser.post('/api/login', { email: ada.email, password: WRONG })),
    );
    expect(statusesOf(guesses, 401)).toHaveLength(PASSWORDS);
    expect(statusesOf(guesses, 429)).toHaveLength(60 - PASSWORDS);
    const { body, headers } = guesses.find(({ status }) => status === 429)!;
    expect(body).toMatchObject({ message: TOO_MANY_REFUSALS, errorCode: 'ERR_SESSION_REFUSALS' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(PASSWORDS);
    expect(await guesser.post('/api/login', ada.credentials)).toMatchObject({ status: 429 });
    expect(await owner.post('/api/login', ada.credentials)).toMatchObject({ status: 200 });
  });

  it('by the page are answered with one that says when to come again', async () => {
    const [guesser, owner] = [new Client(app), new Client(app)];
    const guess = { email: ada.email, password: WRONG };
    for (let i = 0; i < PASSWORDS; i++) expect(await guesser.fill('/sign-in', guess)).toMatchObject({ status: 400 });
    const refused = await guesser.fill('/sign-in', ada.credentials);
    expect(refused).toMatchObject({ ...PAGE, headers: { 'retry-after': expect.any(String) as string } });
    expect(refused.text).toContain('Try again in 10 minutes.');
    expect(await owner.fill('/sign-in', ada.credentials)).toMatchObject({ status: 200, path: '/account/devices' });
  });

  it('by who has somebody else’s session are counted too, by both forms, and leave it', async () => {
    const [program, browser] = [new Client(app), new Client(app, Browser.as(ada))];
    const prove = (password: string) => program.post('/api/account/reauthenticate', { password }, { token: ada.token });
    for (let i = 0; i < PASSWORDS; i++) expect(await prove(WRONG)).toMatchObject({ status: 403 });
    expect(await prove(ada.password)).toMatchObject({ status: 429 });
    for (let i = 0; i < PASSWORDS; i++)
      expect(await browser.fill('/account/confirm', { password: WRONG })).toMatchObject({ status: 400 });
    expect(await browser.fill('/account/confirm', { password: ada.password })).toMatchObject(PAGE);
    expect(await ada.get('/api/me')).toMatchObject({ status: 200 });
  });

  it('at one account by many addresses are bounded, and end no session of it', async () => {
    for (let i = 0; i < ADDRESSES; i++) {
      const guesser = new Client(app);
      for (let j = 0; j < PASSWORDS; j++)
        // In another case it is the same account.
        expect(await guesser.post('/api/login', { email: ada.email.toUpperCase(), password: WRONG })).toMatchObject({
          status: 401,
        });
    }
    const owner = new Client(app);
    expect(await owner.post('/api/login', ada.credentials)).toMatchObject({ status: 429 });
    expect(await ada.get('/api/me')).toMatchObject({ status: 200 });
    const bob = await Person.new(app);
    expect(await owner.post('/api/login', bob.credentials)).toMatchObject({ status: 200 });
  });

  it('are what sign-ups count as, so that nobody has the demo write to many', async () => {
    const [program, browser] = [new Client(app), new Client(app)];
    for (let i = 0; i < PASSWORDS; i++) {
      expect(await program.post('/api/sign-up', { email: `${i}-${ada.email}` })).toMatchObject({ status: 202 });
      expect(await browser.fill('/sign-up', { email: `${i}-${ada.email}` })).toMatchObject({ status: 200 });
    }
    for (const email of [ada.email, `new-${ada.email}`]) {
      expect(await program.post('/api/sign-up', { email })).toMatchObject({ status: 429 });
      expect(await browser.fill('/sign-up', { email })).toMatchObject(PAGE);
    }
  });

  it('at tokens are answered with 429 after some, and valid ones never', async () => {
    const [program, browser] = [new Client(app), new Client(app)];
    const me = (token: string) => program.get('/api/me', { token });
    for (let i = 0; i < TOKENS; i++) {
      expect(await me('x'.repeat(64))).toMatchObject({ status: 401 });
      expect(await browser.get('/account/devices', { token: 'x'.repeat(64) })).toMatchObject({ status: 200 });
    }
    const { status, headers } = await me('x'.repeat(64));
    expect([status, Number(headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect(await browser.get('/account/devices', { token: 'x'.repeat(64) })).toMatchObject({
      status: 429,
      body: expect.stringContaining('Too many attempts') as string,
    });
    expect(await me(ada.token)).toMatchObject({ status: 200 });
  });

  it.each(['0', 'many', '1.5'])('are as many as a setting says that is not %s', (guesses) => {
    expect(() => new Guesses(new ConfigService({ DEMO_PASSWORD_GUESSES: guesses }))).toThrow(
      `DEMO_PASSWORD_GUESSES must be a whole number above 0, not "${guesses}".`,
    );
  });
});

let addresses = 0;

/** Requests from an address of its own. */
class Client {
  readonly #headers = { 'x-forwarded-for': `192.0.2.${++addresses}` };

  constructor(
    private readonly app: DemoApp,
    private readonly browser = new Browser(app),
  ) {}

  get(path: string, sent: Sent = {}): Promise<Answer> {
    return this.app.send('GET', path, { ...sent, headers: this.#headers });
  }

  post(path: string, body: unknown, sent: Sent = {}): Promise<Answer> {
    return this.app.send('POST', path, { ...sent, body, headers: this.#headers });
  }

  /** Sends a form of a page. */
  fill(path: string, fields: Fields) {
    return this.browser.post(path, fields, this.#headers);
  }
}

const statusesOf = (answers: readonly Answer[], status: number): Answer[] =>
  answers.filter((answer) => answer.status === status);
