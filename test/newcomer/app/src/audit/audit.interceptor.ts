import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { sessionOf } from 'nest-sessions';
import { Repository } from 'typeorm';
import { AuditEntry } from './audit-entry.entity.js';

/** Notes who has changed something. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(@InjectRepository(AuditEntry) private readonly entries: Repository<AuditEntry>) {}

  async intercept(context: ExecutionContext, next: CallHandler) {
    const { method, url } = context.switchToHttp().getRequest<{ method: string; url: string }>();
    if (method !== 'GET')
      await this.entries.insert({ action: `${method} ${url}`, sessionId: sessionOf(context)?.id ?? null });
    return next.handle();
  }
}
