// What is logged of options that work, and should not be.
export const TOKENS_IN_CLEAR = 'hashingAlgorithm is null: whoever reads the table can use every token in it';

export const readsOldRowsOnly = (algorithm: string): string =>
  `hashingAlgorithm ${algorithm} only reads old rows; new ones get sha256`;
