type Values = Record<string, unknown>;

/**
 * Copies a value deeply, so that the two share nothing mutable: JSON values, and what drivers and storages return
 * besides, such as dates, bytes, and objects of their own classes.
 */
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copied(value as Values, {});
  if (value instanceof Date) return new Date(value.getTime());
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  const isOrdinary = Object.prototype.toString.call(value) === '[object Object]';
  return isOrdinary
    ? copied(value as Values, Object.create(prototype as object | null) as Values)
    : structuredClone(value);
}

function copied(value: Values, copy: Values): Values {
  for (const key of Object.keys(value)) {
    const inner = copyOf(value[key]);
    // Assigning it would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: inner, enumerable: true });
    else copy[key] = inner;
  }
  return copy;
}
