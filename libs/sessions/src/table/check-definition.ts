import { DIGEST_FORMS, TIME_FORMS } from '../adapters/port/value-forms.js';
import { canonical, IMPOSSIBLE, ValueError } from '../adapters/query/values.js';
import { problemsOfOptions } from '../errors/known-options.js';
import { NO_OBJECT } from '../errors/messages.js';
import { isObject, rightlyTyped } from '../errors/option-types.js';
import { REASON_LENGTH } from '../session/revocation-reasons.js';
import { isScope } from '../session/scopes.js';
import { durationMs } from '../util/duration.js';
import { RESERVED_NAMES } from './built-in-columns.js';
import { typeProblems } from './column-types.js';
import { builtInColumnsOf, formsOf, sessionColumns } from './columns.js';
import {
  COLUMN_MAPPING,
  type ColumnMapping,
  DEFINITION,
  fieldsOf,
  isField,
  KEY_MAPPING,
  lastUseOf,
  limitsOf,
  POLICIES,
  reasonsOf,
  relationsOf,
  SESSION_LIMIT,
  type SessionLimit,
  type SessionsTableDefinition,
} from './definition.js';
import { DATA_LOADING, FIELD_TYPES, type FieldDefinition, type RelationDefinition } from './fields.js';
import {
  builtIn,
  DEFAULT_IMPOSSIBLE,
  DEFAULT_NULL,
  ENUM_VALUES,
  ENUM_WITHOUT_VALUES,
  inColumn,
  inField,
  inLimit,
  INVERSE_NEEDED,
  JOIN_COLUMN_NEEDED,
  joinColumnTaken,
  joinColumnUnknown,
  LAST_USE_NEEDED,
  LIMIT_OF_NO_FIELD,
  NO_LENGTH,
  NO_SCOPES,
  noColumn,
  noDataLoading,
  noDefault,
  noFieldType,
  noForm,
  noIdentifier,
  noKind,
  noLastUseInterval,
  noMax,
  noName,
  NO_PRECISION,
  noPolicy,
  noReason,
  noScope,
  ownerJson,
  ownerUnknown,
  PRECISION_OF_FORM,
  wrongPrecision,
} from './messages.js';
import { keyProblems } from './key.js';
import { kindsOf, RELATION_KINDS, soundDefinition, typesOf } from './sound-definition.js';

const REASON = new RegExp(`^[a-z0-9_]{1,${REASON_LENGTH}}$`);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/** All problems of a definition, including those that the compiler reports, for JavaScript. */
export function definitionProblems(given: SessionsTableDefinition): string[] {
  const definition = soundDefinition(given);
  const { extraFields, sessionLimits, columns } = rightlyTyped(given, DEFINITION);
  const unnamed = (['table', 'schema', 'dataSource'] as const).flatMap((option) => {
    const name = definition[option];
    return name !== undefined && (name.trim() === '' || name.includes('\0')) ? [noName(option, name)] : [];
  });
  return [
    ...problemsOfOptions('', given, DEFINITION),
    ...unnamed,
    ...Object.entries(extraFields ?? {}).flatMap(([name, field]) => entryProblems(definition, name, field)),
    ...lastUseProblems(definition),
    ...reasonProblems(definition),
    ...scopeProblems(definition),
    ...limitsOf({ sessionLimits }).flatMap(([field, limit]) =>
      limitProblems(definition, field, limit).map((problem) => inLimit(field, problem)),
    ),
    ...ownerProblems(definition),
    ...dataProblems(definition),
    ...columnProblems(definition, columns),
    ...keyProblems(definition),
  ];
}

function columnProblems(
  definition: SessionsTableDefinition,
  columns: SessionsTableDefinition['columns'] = {},
): string[] {
  const names = [...builtInColumnsOf(definition), ...fieldsOf(definition)].map(([name]) => name);
  return Object.entries(columns).flatMap(([name, mapping]) => {
    if (!names.includes(name)) return [noColumn(name)];
    if (typeof mapping === 'string') return [];
    return [
      ...problemsOfOptions(`columns.${name}`, mapping, name === 'id' ? KEY_MAPPING : COLUMN_MAPPING),
      ...formProblems(definition, name, mapping ?? {}),
      ...typeProblems(definition, name, mapping ?? {}),
    ];
  });
}

function formProblems(definition: SessionsTableDefinition, name: string, mapping: ColumnMapping): string[] {
  if (!isObject(mapping)) return [];
  const { form, precision } = mapping;
  const kind = formsOf(definition).get(name)?.kind;
  const forms: readonly unknown[] = kind === 'timestamp' ? TIME_FORMS : kind === 'string' ? DIGEST_FORMS : [];
  const problems: string[] = [];
  if (form !== undefined && !forms.includes(form)) problems.push(noForm(form, forms));
  if (precision !== undefined && kind !== 'timestamp') problems.push(NO_PRECISION);
  else if (precision !== undefined && form !== undefined) problems.push(PRECISION_OF_FORM);
  else if (precision !== undefined && !(Number.isInteger(precision) && precision >= 0 && precision <= 6))
    problems.push(wrongPrecision(precision));
  return problems.map((problem) => inColumn(name, problem));
}

function lastUseProblems(definition: SessionsTableDefinition): string[] {
  const interval = lastUseOf(definition)?.interval;
  return interval === undefined || durationMs(interval) !== undefined ? [] : [noLastUseInterval(interval)];
}

function reasonProblems(definition: SessionsTableDefinition): string[] {
  return reasonsOf(definition)
    .filter((reason) => !REASON.test(reason))
    .map((reason) => noReason(REASON_LENGTH, reason));
}

function scopeProblems({ scopes }: SessionsTableDefinition): string[] {
  if (scopes?.length === 0) return [NO_SCOPES];
  return (scopes ?? []).filter((scope) => !isScope(scope)).map(noScope);
}

function dataProblems({ data = 'withSession' }: SessionsTableDefinition): string[] {
  return DATA_LOADING.includes(data) ? [] : [noDataLoading(DATA_LOADING)];
}

function limitProblems(definition: SessionsTableDefinition, field: string, limit: SessionLimit): string[] {
  if (!isObject(limit)) return [NO_OBJECT];
  const fields = fieldsOf(definition).map(([name]) => name);
  const { max, whenFull = 'endOldest' } = limit;
  return [
    ...problemsOfOptions('', limit, SESSION_LIMIT),
    ...(fields.includes(field) ? [] : [LIMIT_OF_NO_FIELD]),
    ...(Number.isInteger(max) && max >= 1 ? [] : [noMax(max)]),
    ...(POLICIES.includes(whenFull) ? [] : [noPolicy(POLICIES)]),
    ...(whenFull === 'endLeastRecentlyUsed' && !definition.lastUse ? [LAST_USE_NEEDED] : []),
  ];
}

function ownerProblems(definition: SessionsTableDefinition): string[] {
  const { owner } = definition;
  if (owner === undefined) return [];
  const field = fieldsOf(definition).find(([name]) => name === owner)?.[1];
  if (!field) return [ownerUnknown(owner)];
  return field.type === 'json' ? [ownerJson(owner)] : [];
}

function entryProblems(
  definition: SessionsTableDefinition,
  name: string,
  given: FieldDefinition | RelationDefinition,
): string[] {
  if (RESERVED_NAMES.includes(name)) return [builtIn(name)];
  if (!IDENTIFIER.test(name) || name === '__proto__') return [noIdentifier(name)];
  if (!isObject(given)) return [inField(name, NO_OBJECT)];
  const types = typesOf(given);
  const field = rightlyTyped(given, types);
  const problems = [
    ...problemsOfOptions('', given, types),
    ...(isField(given)
      ? fieldProblems(name, field as FieldDefinition)
      : relationProblems(definition, name, given, field as RelationDefinition)),
  ];
  return problems.map((problem) => inField(name, problem));
}

function fieldProblems(name: string, field: FieldDefinition): string[] {
  if (!FIELD_TYPES.includes(field.type)) return [noFieldType(FIELD_TYPES, field.type)];
  const problems: string[] = [];
  if (field.type === 'enum' && !field.values?.length) problems.push(ENUM_WITHOUT_VALUES);
  if (field.type === 'enum' && field.values?.some((value) => !/^[^'"\\]+$/.test(value))) problems.push(ENUM_VALUES);
  if (field.length !== undefined && (field.type !== 'string' || !Number.isInteger(field.length) || field.length < 1)) {
    problems.push(NO_LENGTH);
  }
  if (field.default !== undefined && !field.transformer) problems.push(...defaultProblems(name, field));
  return problems;
}

function defaultProblems(name: string, field: FieldDefinition): string[] {
  const column = sessionColumns({ extraFields: { [name]: field } }).columns.get(name)!;
  if (field.default === null) return field.nullable ? [] : [DEFAULT_NULL];
  try {
    return canonical(column, field.default) === IMPOSSIBLE ? [DEFAULT_IMPOSSIBLE] : [];
  } catch (error) {
    if (error instanceof ValueError) return [noDefault(error.message)];
    throw error;
  }
}

function relationProblems(
  definition: SessionsTableDefinition,
  name: string,
  given: object,
  relation: RelationDefinition,
): string[] {
  if (kindsOf(given).length !== 1) return [noKind(RELATION_KINDS)];
  if ('oneToMany' in relation) return relation.inverse ? [] : [INVERSE_NEEDED];
  if ('manyToMany' in relation) return [];
  if (relation.joinColumn === undefined) {
    return 'oneToOne' in relation && relation.inverse ? [] : [JOIN_COLUMN_NEEDED];
  }
  const fields = fieldsOf(definition).map(([field]) => field);
  const taken = relationsOf(definition).some(
    ([other, its]) => other !== name && 'joinColumn' in its && its.joinColumn === relation.joinColumn,
  );
  if (taken) return [joinColumnTaken(relation.joinColumn)];
  return fields.includes(relation.joinColumn) ? [] : [joinColumnUnknown(relation.joinColumn)];
}
