import { ParseUUIDPipe } from '@nestjs/common';
import { createCurrentSession, CurrentSession, SessionGuard, SessionsTable } from '@app/sessions';

class User {
  readonly name!: string;
}

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' }, user: { manyToOne: () => User, joinColumn: 'userId' } },
}) {}

class ApiKeys extends SessionsTable({
  table: 'api_keys',
  extraFields: { projectId: { type: 'string' }, owner: { manyToOne: () => User, joinColumn: 'projectId' } },
}) {}

const definition = {
  table: 'tickets',
  extraFields: { userId: { type: 'string' }, holder: { manyToOne: () => User, joinColumn: 'userId' } },
} as const;

const Current = createCurrentSession<Sessions>();
const CurrentOfEither = createCurrentSession<Sessions | ApiKeys>();

export const decorators: ParameterDecorator[] = [
  CurrentSession(),
  CurrentSession('anything'),
  CurrentSession(ParseUUIDPipe),
  CurrentSession('userId', ParseUUIDPipe, new ParseUUIDPipe()),
  // @ts-expect-error no pipe
  CurrentSession('userId', 'name'),
  // @ts-expect-error no pipe, but a class
  CurrentSession('userId', User),
  Current(),
  Current(ParseUUIDPipe),
  Current('id'),
  Current('userId'),
  Current('user'),
  Current('userId', ParseUUIDPipe),
  // @ts-expect-error no field of the table
  Current('userI'),
  // @ts-expect-error no field of the table
  Current('projectId', ParseUUIDPipe),
  CurrentOfEither('createdAt'),
  // @ts-expect-error a field of one of them only
  CurrentOfEither('userId'),
];

// The relations of a guard are those of its tables.
export const guards = [
  SessionGuard.for(Sessions, { relations: ['user'] }),
  SessionGuard.for(Sessions, {}),
  SessionGuard.for(Sessions, ApiKeys, { relations: ['user', 'owner'] }),
  SessionGuard.for(definition, { relations: ['holder'] }),
  SessionGuard.for('sessions', { relations: ['anything'] }),
  SessionGuard.for(Sessions, definition),
  // @ts-expect-error no relation of the table
  SessionGuard.for(Sessions, { relations: ['usr'] }),
  // @ts-expect-error a column
  SessionGuard.for(Sessions, { relations: ['userId'] }),
  // @ts-expect-error a relation of another table
  SessionGuard.for(Sessions, { relations: ['owner'] }),
  // @ts-expect-error a relation of none of them
  SessionGuard.for(Sessions, ApiKeys, { relations: ['user', 'holder'] }),
  // @ts-expect-error no option
  SessionGuard.for(Sessions, { relation: ['user'] }),
  // @ts-expect-error options alone are no table
  SessionGuard.for({ relations: ['user'] }),
];
