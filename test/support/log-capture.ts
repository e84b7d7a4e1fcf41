import type { LoggerService } from '@nestjs/common';

/** A line that Nest's logger was given. */
export interface LogLine {
  readonly level: 'debug' | 'log' | 'warn' | 'error' | 'fatal';
  readonly text: string;
}

/** A logger for Nest that keeps every line, and lets a test wait for one. */
export class LogCapture implements LoggerService {
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<(line: LogLine) => void>();

  debug = this.#taker('debug');
  log = this.#taker('log');
  warn = this.#taker('warn');
  error = this.#taker('error');
  fatal = this.#taker('fatal');

  /** The texts so far of the lines that match, or have a text in them. */
  matching(pattern: RegExp | string): string[] {
    return this.lines.map(({ text }) => text).filter((text) => matches(text, pattern));
  }

  /** The `nth` line that matches, as soon as it is there. */
  async next(pattern: RegExp | string, nth = 1): Promise<LogLine> {
    return new Promise((resolve) => {
      const check = (): void => {
        const found = this.lines.filter(({ text }) => matches(text, pattern))[nth - 1];
        if (!found) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }

  #taker(level: LogLine['level']): (...message: unknown[]) => void {
    return (...message) => {
      const line = { level, text: message.map(String).join(' ') };
      this.lines.push(line);
      for (const check of this.#waiting) check(line);
    };
  }
}

function matches(text: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
}
