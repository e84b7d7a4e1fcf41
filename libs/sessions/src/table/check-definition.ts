import { canonical, IMPOSSIBLE, ValueError } from '../adapters/query/values.js';
import { FIELD, FIELD_TYPES, type FieldDefinition, type RelationDefinition, RELATIONS } from './fields.js';
import { durationMs } from '../util/duration.js';
import { problemsOfNames } from '../errors/known-options.js';
import { problemsOfTableOptions } from '../options/option-names.js';
import { REASON_LENGTH } from '../session/revocation-reasons.js';
import { isScope } from '../session/scopes.js';
import {
  COLUMN_MAPPING,
  DEFINITION,
  fieldsOf,
  LAST_USE,
  lastUseOf,
  limitsOf,
  isField,
  POLICIES,
  reasonsOf,
  relationsOf,
  REVOCATION,
  SESSION_LIMIT,
  type SessionsTableDefinition,
} from './definition.js';
import { RESERVED_NAMES } from './built-in-columns.js';
import { builtInColumnsOf, sessionColumns } from './columns.js';
import { DATA_LOADING } from './inferred-types.js';

const REASON = new RegExp(`^[a-z0-9_]{1,${REASON_LENGTH}}$`);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_$]*$/;
const RELATION_KINDS = Object.keys(RELATIONS) as (keyof typeof RELATIONS)[];

/** All that is wrong with a definition; what the compiler refuses too, for those who write JavaScript. */
export function definitionProblems(definition: SessionsTableDefinition): string[] {
  const names = [definition.table, definition.schema, definition.dataSource].filter((name) => name !== undefined);
  return [
    ...problemsOfTableOptions(DEFINITION, definition),
    ...names
      .filter((name) => name.trim() === '' || name.includes('\0'))
      .map((name) => `${JSON.stringify(name)} is no name of a table, schema or data source`),
    ...Object.entries(definition.extraFields ?? {}).flatMap(([name, field]) => entryProblems(definition, name, field)),
    ...lastUseProblems(definition),
    ...reasonProblems(definition),
    ...scopeProblems(definition),
    ...limitProblems(definition),
    ...ownerProblems(definition),
    ...dataProblems(definition),
    ...columnProblems(definition),
  ];
}

function columnProblems(definition: SessionsTableDefinition): string[] {
  const names = [...builtInColumnsOf(definition), ...fieldsOf(definition)].map(([name]) => name);
  return Object.entries(definition.columns ?? {}).flatMap(([name, mapping]) => {
    if (!names.includes(name)) return [`columns: "${name}" is no column of the table`];
    return typeof mapping === 'string' ? [] : problemsOfNames(`columns.${name}`, mapping, COLUMN_MAPPING);
  });
}

function lastUseProblems(definition: SessionsTableDefinition): string[] {
  const lastUse = lastUseOf(definition);
  const interval = lastUse?.interval;
  const usable = interval === undefined || durationMs(interval) !== undefined;
  return [
    ...problemsOfNames('lastUse', lastUse, LAST_USE),
    ...(usable
      ? []
      : [`lastUse.interval must be a number of seconds, or text such as '5m', not ${JSON.stringify(interval)}`]),
  ];
}

function reasonProblems(definition: SessionsTableDefinition): string[] {
  const { revocation } = definition;
  return [
    ...(typeof revocation === 'boolean' ? [] : problemsOfNames('revocation', revocation, REVOCATION)),
    ...reasonsOf(definition)
      .filter((reason) => !REASON.test(reason))
      .map((reason) => `revocation.reasons: ${JSON.stringify(reason)} is not up to ${REASON_LENGTH} of a-z, 0-9 and _`),
  ];
}

function scopeProblems({ scopes }: SessionsTableDefinition): string[] {
  if (scopes?.length === 0) return ['scopes must name at least one scope'];
  return (scopes ?? [])
    .filter((scope) => !isScope(scope))
    .map(
      (scope) => `scopes: ${JSON.stringify(scope)} must be printable ASCII without spaces, quotes, backslashes and *`,
    );
}

function dataProblems({ data = 'withSession' }: SessionsTableDefinition): string[] {
  return DATA_LOADING.includes(data) ? [] : [`data must be one of ${DATA_LOADING.join(', ')}`];
}

function limitProblems(definition: SessionsTableDefinition): string[] {
  const fields = fieldsOf(definition).map(([name]) => name);
  return limitsOf(definition).flatMap(([field, limit]) => {
    const { max, whenFull = 'endOldest' } = limit;
    const problems = problemsOfNames('', limit, SESSION_LIMIT);
    if (!fields.includes(field)) problems.push('is no extra field of the table');
    if (!Number.isInteger(max) || max < 1) problems.push(`max must be a whole number of at least 1, not ${max}`);
    if (!POLICIES.includes(whenFull)) problems.push(`whenFull must be one of ${POLICIES.join(', ')}`);
    if (whenFull === 'endLeastRecentlyUsed' && !definition.lastUse)
      problems.push("whenFull: 'endLeastRecentlyUsed' needs lastUse in the definition of the table");
    return problems.map((text) => `sessionLimits.${field}: ${text}`);
  });
}

function ownerProblems(definition: SessionsTableDefinition): string[] {
  const { owner } = definition;
  if (owner === undefined) return [];
  const field = fieldsOf(definition).find(([name]) => name === owner)?.[1];
  if (!field) return [`owner: ${JSON.stringify(owner)} is no extra field of the table`];
  return field.type === 'json' ? [`owner: "${owner}" is JSON, which is not compared as a whole`] : [];
}

function entryProblems(
  definition: SessionsTableDefinition,
  name: string,
  field: FieldDefinition | RelationDefinition,
): string[] {
  if (RESERVED_NAMES.includes(name)) return [`extraFields: "${name}" is built into every session; choose another name`];
  if (!IDENTIFIER.test(name)) return [`extraFields: "${name}" is no identifier`];
  const problems = [
    ...problemsOfNames('', field, namesFor(field)),
    ...(isField(field) ? fieldProblems(name, field) : relationProblems(definition, name, field)),
  ];
  return problems.map((text) => `extraFields.${name}: ${text}`);
}

/** What an extra field takes; anything that one can take, where it does not tell what it is. */
function namesFor(field: FieldDefinition | RelationDefinition): Readonly<Record<string, true>> {
  if (isField(field)) return FIELD;
  const [kind, second] = kindsOf(field);
  return kind && !second
    ? RELATIONS[kind]
    : { ...FIELD, ...RELATIONS.manyToOne, ...RELATIONS.oneToOne, ...RELATIONS.oneToMany, ...RELATIONS.manyToMany };
}

function kindsOf(relation: RelationDefinition): (keyof typeof RELATIONS)[] {
  return RELATION_KINDS.filter((kind) => kind in relation);
}

function fieldProblems(name: string, field: FieldDefinition): string[] {
  if (!FIELD_TYPES.includes(field.type))
    return [`the type must be one of ${FIELD_TYPES.join(', ')}, not ${JSON.stringify(field.type)}`];
  const problems: string[] = [];
  if (field.type === 'enum' && !field.values?.length) problems.push('an enum needs its values');
  if (field.type === 'enum' && field.values?.some((value) => !/^[^'"\\]+$/.test(value)))
    problems.push('the values of an enum must be text without quotes and backslashes');
  if (field.length !== undefined && (field.type !== 'string' || !Number.isInteger(field.length) || field.length < 1)) {
    problems.push('a length is a whole number of at least 1, of a string');
  }
  if (field.default !== undefined && !field.transformer) problems.push(...defaultProblems(name, field));
  return problems;
}

function defaultProblems(name: string, field: FieldDefinition): string[] {
  const column = sessionColumns({ extraFields: { [name]: field } }).columns.get(name)!;
  if (field.default === null) return field.nullable ? [] : ['the default is null, but the field is not nullable'];
  try {
    return canonical(column, field.default) === IMPOSSIBLE ? ['the default is no value of the field'] : [];
  } catch (error) {
    if (error instanceof ValueError) return [`the default ${error.message}`];
    throw error;
  }
}

function relationProblems(definition: SessionsTableDefinition, name: string, relation: RelationDefinition): string[] {
  if (kindsOf(relation).length !== 1) return [`give a type, or one of ${RELATION_KINDS.join(', ')}`];
  if ('oneToMany' in relation)
    return relation.inverse ? [] : ['oneToMany needs inverse, the property of the entity that leads back'];
  if ('manyToMany' in relation) return [];
  if (relation.joinColumn === undefined) {
    return 'oneToOne' in relation && relation.inverse ? [] : ['needs joinColumn, the extra field that holds the key'];
  }
  const fields = fieldsOf(definition).map(([field]) => field);
  const taken = relationsOf(definition).some(
    ([other, its]) => other !== name && 'joinColumn' in its && its.joinColumn === relation.joinColumn,
  );
  if (taken) return [`joinColumn "${relation.joinColumn}" is that of another relation`];
  return fields.includes(relation.joinColumn) ? [] : [`joinColumn "${relation.joinColumn}" is no extra field; add it`];
}
