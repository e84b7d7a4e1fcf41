import { InstanceChecker } from 'typeorm';
import type { Schema } from '../adapters/port/query.js';
import type { TargetFunction } from '../adapters/port/relation-target.js';
import type { RelationTarget } from './fields.js';

export function relationTarget(target: RelationTarget): TargetFunction {
  const given = (): Schema => (typeof target === 'function' ? target() : target) as Schema;
  const known = (): Function | string => {
    const schema = given();
    if (!InstanceChecker.isEntitySchema(schema)) return schema as Function | string;
    return schema.options.target ?? schema.options.name;
  };
  return Object.assign(known, { given });
}
