import type { Page } from 'playwright-core';

/** More than any page has of what can be reached. */
const MOST = 80;

/** Works a page as who has no mouse does. */
export class Keyboard {
  constructor(private readonly page: Page) {}

  /** Goes on by the tabulator to what has this name. @throws Error with all that was reached, where it is not among it */
  async to(name: string | RegExp): Promise<void> {
    const reached: string[] = [];
    for (let i = 0; i < MOST; i++) {
      await this.page.keyboard.press('Tab');
      const focused = await this.page.evaluate<Focused>(FOCUSED);
      reached.push(focused.name);
      if (typeof name === 'string' ? focused.name !== name : !name.test(focused.name)) continue;
      if (!focused.isSeen) throw new Error(`Nothing shows that "${focused.name}" has the focus.`);
      return;
    }
    throw new Error(`Nothing named ${String(name)} can be reached: ${[...new Set(reached)].join(' | ')}`);
  }

  /** Goes to a link or a button and presses it; waits for the page that comes. */
  async follow(name: string | RegExp): Promise<void> {
    await this.to(name);
    await Promise.all([this.page.waitForEvent('load'), this.page.keyboard.press('Enter')]);
  }

  async fill(name: string, text: string): Promise<void> {
    await this.to(name);
    await this.page.keyboard.type(text);
  }
}

interface Focused {
  readonly name: string;
  readonly isSeen: boolean;
}

/** The name of what has the focus, and whether it is to be seen that it has; as a text, for the tests have no types of the DOM. */
const FOCUSED = `(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  return {
    name: (element.labels?.[0] ?? element).textContent.replaceAll(/\\s+/g, ' ').trim(),
    isSeen: (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none',
  };
})()`;
