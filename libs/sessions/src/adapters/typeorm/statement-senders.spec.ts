import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { expect, it, onTestFinished, vi } from 'vitest';
import { notKept } from './messages.js';
import { senderOf } from './statement-senders.js';

it('says once that MySQL keeps no more statements, however often it says so', () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  onTestFinished(() => warn.mockRestore());
  const sender = senderOf(new DataSource({ type: 'mysql' }))!;
  const full = { errno: 1461, message: "Can't create more than max_prepared_stmt_count statements" };
  for (let i = 0; i < 3; i++) expect(sender.adaptsTo!(full, { runner: undefined })).toBe(true);
  expect(warn.mock.calls).toEqual([[notKept(full.message)]]);
});
