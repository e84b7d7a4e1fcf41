import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SessionsTable } from '@app/sessions';
import { TABLE } from './layout.js';

@Entity('users')
export class User {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar' })
  name!: string;
}

/** It asks for every column, so that every call is possible. */
const DEFINITION = {
  table: TABLE,
  extraFields: {
    userId: { type: 'string', length: 36 },
    note: { type: 'string', length: 40, nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
  sessionTtl: '1d',
  absoluteTtl: '7d',
  ownLimits: true,
  lastUse: { ip: true, userAgent: true },
  revocation: true,
  rotation: true,
  freshness: true,
  scopes: ['read', 'write'],
  owner: 'userId',
  sessionLimits: { userId: { max: 3 } },
} as const;

/** The table as every kind has it; a kind's own definition changes nothing of its type. */
export class Visits extends SessionsTable(DEFINITION) {}

export type TableDefinition = typeof Visits.definition;

export function visitsTable(own: Partial<TableDefinition> = {}): typeof Visits {
  return class Visits extends SessionsTable({ ...DEFINITION, ...own } as typeof DEFINITION) {};
}
