import { type IncomingHttpHeaders, request } from 'node:http';
import type { DemoApp } from './demo-app.js';
import type { Person } from './person.js';

export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';
export const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';

/** Fields of a form, as they are sent; of a list each. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** A page as a browser gets it, after the redirects that led to it. */
export class Shown {
  constructor(
    readonly status: number,
    /** Where it is, with the query. */
    readonly path: string,
    readonly headers: IncomingHttpHeaders,
    readonly html: string,
  ) {}

  /** What there is to read, with one space between words. */
  get text(): string {
    const body = this.html.replace(/^.*<main/s, '<main');
    return unescaped(body.replace(/<[^>]*>/g, ' '))
      .replace(/\s+/g, ' ')
      .trim();
  }

  get heading(): string | undefined {
    return /<h1>(.*?)<\/h1>/s.exec(this.html)?.[1]?.trim();
  }

  /** The tag of a field, and of what is said to be wrong with it. */
  field(name: string): { tag: string; problem: string | undefined } {
    const tag = new RegExp(`<(?:input|fieldset)[^>]* id="${name}"[^>]*>`).exec(this.html)?.[0] ?? '';
    const id = /aria-describedby="(?:.* )?(\S*-problem)"/.exec(tag)?.[1];
    const problem = id && new RegExp(`<p[^>]* id="${id}">(.*?)</p>`).exec(this.html)?.[1];
    return { tag, problem: problem && unescaped(problem) };
  }

  /** Where the forms of the page are sent to, in their order. */
  get forms(): string[] {
    return [...this.html.matchAll(/<form method="post" action="([^"]*)"/g)].map(([, action]) => action!);
  }

  get links(): string[] {
    return [...this.html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href]) => unescaped(href!));
  }
}

/** A browser without JavaScript: it keeps cookies, follows redirects, and says from where a request comes. */
export class Browser {
  readonly cookies = new Map<string, string>();
  keepsCookies = true;
  /** What it was told of cookies. */
  readonly received: string[] = [];
  #page = '/';

  constructor(
    private readonly app: DemoApp,
    private readonly userAgent = FIREFOX,
  ) {}

  /** One in which a person is signed in by a further session, without the time that hashing a password takes. */
  static async of(person: Person, userAgent = FIREFOX): Promise<Browser> {
    const browser = new Browser(person.app, userAgent);
    browser.cookies.set('__Host-session', await person.session(userAgent));
    return browser;
  }

  /** One in which a person is signed in by the session that they have. */
  static as(person: Person): Browser {
    const browser = new Browser(person.app);
    browser.cookies.set('__Host-session', person.token);
    return browser;
  }

  get token(): string | undefined {
    return this.cookies.get('__Host-session');
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Shown> {
    return this.#load('GET', path, headers);
  }

  /** Sends a form of the page that was shown last. */
  async post(path: string, fields: Fields = {}, headers: Readonly<Record<string, string>> = {}): Promise<Shown> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
    return this.#load(
      'POST',
      path,
      { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body.toString(),
    );
  }

  async #load(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Shown> {
    const shown = await this.#send(method, path, headers, body);
    const { location } = shown.headers;
    if (location !== undefined) return this.#load('GET', location, {});
    this.#page = path;
    return shown;
  }

  async #send(method: string, path: string, further: Readonly<Record<string, string>>, body?: string): Promise<Shown> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const host = `127.0.0.1:${this.app.port}`;
    const headers = {
      'User-Agent': this.userAgent,
      'Sec-Fetch-Site': 'same-origin',
      'Sec-Fetch-Mode': 'navigate',
      Referer: `http://${host}${this.#page}`,
      ...(cookie && { Cookie: cookie }),
      ...further,
    };
    return new Promise((resolve, reject) => {
      const sent = request({ method, host: '127.0.0.1', port: this.app.port, path, headers, agent: false });
      sent.once('error', reject);
      sent.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('error', reject);
        response.once('end', () => {
          this.#keepCookies(response.headers);
          resolve(new Shown(response.statusCode ?? 0, path, response.headers, text));
        });
      });
      sent.end(body);
    });
  }

  #keepCookies({ 'set-cookie': lines = [] }: IncomingHttpHeaders): void {
    this.received.push(...lines);
    if (!this.keepsCookies) return;
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (/; Max-Age=0(;|$)|Expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
  }
}

const CHARACTERS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** What escaped text stands for. */
export function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => CHARACTERS[name]!);
}
