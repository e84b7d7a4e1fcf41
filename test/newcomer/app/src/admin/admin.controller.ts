import { Controller, Get } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AuditEntry } from '../audit/audit-entry.entity.js';
import { Roles } from '../auth/roles.decorator.js';
import { UsersService } from '../users/users.service.js';

@Roles(['admin'])
@Controller('admin')
export class AdminController {
  constructor(
    private readonly users: UsersService,
    @InjectRepository(AuditEntry) private readonly audit: Repository<AuditEntry>,
  ) {}

  @Get('users')
  list() {
    return this.users.all();
  }

  @Get('audit')
  entries() {
    return this.audit.find({ order: { id: 'ASC' } });
  }
}
