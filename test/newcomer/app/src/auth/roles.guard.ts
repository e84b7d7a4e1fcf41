import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { sessionOf } from 'nest-sessions';
import type { Sessions } from '../sessions/sessions.entity.js';
import { UsersService } from '../users/users.service.js';
import { Roles } from './roles.decorator.js';

/** Asks for a role of the user whose session the guard before it has found. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly users: UsersService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const roles = this.reflector.getAllAndOverride(Roles, [context.getHandler(), context.getClass()]);
    if (roles === undefined) return true;
    const session = sessionOf<Sessions>(context);
    if (session === undefined) return false;
    const { role } = await this.users.get(session.userId);
    return roles.includes(role);
  }
}
