import { Reflector } from '@nestjs/core';
import type { Role } from '../users/user.entity.js';

export const Roles = Reflector.createDecorator<Role[]>();
