/** What a benchmark found: the object for `--json`, and lines for a reader. */
export interface BenchReport {
  readonly result: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

export type Bench = (log: (line: string) => void) => Promise<BenchReport>;
