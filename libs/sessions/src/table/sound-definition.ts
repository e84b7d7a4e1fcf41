import { isObject, isText, type OptionTypes, rightlyTyped } from '../errors/option-types.js';
import { DEFINITION, KEY_MAPPING, type SessionsTableDefinition } from './definition.js';
import { type ExtraFields, FIELD, RELATIONS } from './fields.js';

export const RELATION_KINDS = Object.keys(RELATIONS) as (keyof typeof RELATIONS)[];

/**
 * The valid part of a definition. A table can be built from it, so that problems of the rest are reported together with
 * all others at start-up.
 */
export function soundDefinition(given: SessionsTableDefinition): SessionsTableDefinition {
  const definition = rightlyTyped(given, DEFINITION);
  const { extraFields, sessionLimits, columns } = definition;
  return {
    ...definition,
    ...(extraFields && { extraFields: soundFields(extraFields) }),
    ...(sessionLimits && { sessionLimits: entriesOf(sessionLimits, isObject) }),
    ...(columns && { columns: soundMappings(columns) }),
  };
}

/** The options of an extra field; if its kind is unclear, those of all kinds. */
export function typesOf(field: object): OptionTypes {
  if ('type' in field) return FIELD;
  const [kind, second] = kindsOf(field);
  return kind && !second
    ? RELATIONS[kind]
    : { ...FIELD, ...RELATIONS.manyToOne, ...RELATIONS.oneToOne, ...RELATIONS.oneToMany, ...RELATIONS.manyToMany };
}

/** The kinds of relation that a field without a type names. */
export function kindsOf(relation: object): (keyof typeof RELATIONS)[] {
  return RELATION_KINDS.filter((kind) => (relation as Partial<Record<string, unknown>>)[kind] !== undefined);
}

function soundFields(fields: ExtraFields): ExtraFields {
  const sound = Object.entries(fields)
    .filter(([, field]) => isObject(field))
    .map(([name, field]) => [name, rightlyTyped<object>(field, typesOf(field))] as const);
  return Object.fromEntries(
    sound.filter(([, field]) => ('type' in field ? isText(field.type) : kindsOf(field).length > 0)),
  ) as ExtraFields;
}

function soundMappings(columns: NonNullable<SessionsTableDefinition['columns']>): typeof columns {
  const sound = entriesOf(columns, (mapping) => isText(mapping) || isObject(mapping));
  return Object.fromEntries(
    Object.entries(sound).map(([name, mapping]) => [
      name,
      isObject(mapping) ? rightlyTyped<object>(mapping, KEY_MAPPING) : mapping,
    ]),
  );
}

function entriesOf<T extends object>(all: T, isOne: (value: unknown) => boolean): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => isOne(value))) as T;
}
