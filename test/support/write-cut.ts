import type { TableClient } from "@azure/data-tables";

const WRITES: ReadonlySet<PropertyKey> = new Set([
  "createEntity",
  "updateEntity",
  "upsertEntity",
  "deleteEntity",
  "submitTransaction",
]);

/** Lets the process "die" at a chosen write: every write from then on throws, as if nobody were there to do it. */
export class WriteCut {
  private writes = 0;
  private at: number | undefined;

  /** The next writes pass; the one after them does not happen, nor does any later one. */
  arm(passing: number): void {
    this.writes = 0;
    this.at = passing;
  }

  disarm(): void {
    this.at = undefined;
  }

  /** How many writes there were since it was armed. */
  get seen(): number {
    return this.writes;
  }

  watch(client: TableClient): TableClient {
    return new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return (...input: unknown[]): unknown => {
          if (WRITES.has(property)) this.count();
          return Reflect.apply(value, target, input);
        };
      },
    });
  }

  private count(): void {
    this.writes += 1;
    if (this.at !== undefined && this.writes > this.at) throw new Error(`cut at write ${this.writes}`);
  }
}

/** A table that answers every call with this error. */
export function brokenTable(error: Error): TableClient {
  const fail = (): Promise<never> => Promise.reject(error);
  // Only calls of its methods are made, and each of them fails.
  return new Proxy({}, { get: () => fail }) as unknown as TableClient;
}
