/** When `data` is loaded. */

export const DATA_LOADING = ['withSession', 'onDemand'] as const;
export type DataLoading = (typeof DATA_LOADING)[number];
