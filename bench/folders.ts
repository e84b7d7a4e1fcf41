/** The folder of the benchmark's sources; the compiled files lie in `dist/bench/bench`. */
export const BENCH_FOLDER = new URL('../../../bench/', import.meta.url);

/** The folder of the project. */
export const ROOT_FOLDER = new URL('../', BENCH_FOLDER);
