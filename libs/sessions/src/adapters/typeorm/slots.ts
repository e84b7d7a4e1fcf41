/** A bound value of a statement: known when the statement was prepared, or taken from the parameters of a run. */
export type Slot = ConstantSlot | ParamSlot;

interface ConstantSlot extends AnySlot {
  readonly constant: unknown;
}

export interface ParamSlot extends AnySlot {
  readonly param: string;
  readonly convert: (value: unknown) => unknown;
}

interface AnySlot {
  /** Whether no log shows the value. */
  readonly isSecret?: boolean;
}

/** Gives the placeholder of a bound value. */
export type SlotWriter = (slot: Slot) => string;
