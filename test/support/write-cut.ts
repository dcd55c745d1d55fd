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
