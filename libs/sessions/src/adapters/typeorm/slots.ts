/** A bound value of a statement: a constant since it was prepared, or a parameter of a run. */
export type Slot = ConstantSlot | ParamSlot;

interface ConstantSlot extends AnySlot {
  readonly constant: unknown;
}

export interface ParamSlot extends AnySlot {
  readonly param: string;
  readonly convert: (value: unknown) => unknown;
}

interface AnySlot {
  /** Whether logs hide the value. */
  readonly isSecret?: boolean;
}

/** Returns the placeholder of a bound value. */
export type SlotWriter = (slot: Slot) => string;
