/** A bound value of a statement: known when the statement was prepared, or taken from the parameters of a run. */
export type Slot = { readonly constant: unknown } | ParamSlot;

export interface ParamSlot {
  readonly param: string;
  readonly convert: (value: unknown) => unknown;
}

/** Gives the placeholder of a bound value. */
export type SlotWriter = (slot: Slot) => string;
