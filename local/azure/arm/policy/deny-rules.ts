import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../../store/json-table";

/** A policy with the effect deny, and its assignment: what it names is refused where all of it holds. */
export interface DenyRule {
  readonly name: string;
  readonly displayName: string;
  /** Where it is assigned: a subscription, a group, a resource. */
  readonly scope: string;
  /** Only these types; any where it is absent. */
  readonly resourceTypes?: readonly string[] | undefined;
  /** Everything that is put elsewhere. */
  readonly allowedLocations?: readonly string[] | undefined;
  /** Everything that lacks one of these tags. */
  readonly requiredTags?: readonly string[] | undefined;
}

export class DenyRules {
  private readonly table: JsonTable<DenyRule>;

  constructor(database: DatabaseSync) {
    this.table = new JsonTable(database, "denyRules");
  }

  put(rule: DenyRule): DenyRule {
    return this.table.set(rule.name.toLowerCase(), rule);
  }

  delete(name: string): boolean {
    return this.table.delete(name.toLowerCase());
  }

  all(): DenyRule[] {
    return this.table.values();
  }
}
