import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../../store/json-table";
import { isWithin } from "../authorization/access-control";
import { isSame } from "../resource-store";

export const LOCK_LEVELS = ["NotSpecified", "CanNotDelete", "ReadOnly"] as const;
export type LockLevel = (typeof LOCK_LEVELS)[number];

export interface ManagementLock {
  /** `<scope>/providers/Microsoft.Authorization/locks/<name>`. */
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly level: LockLevel;
  readonly notes?: string | undefined;
  readonly owners?: readonly { readonly applicationId?: string | undefined }[] | undefined;
}

/** The management locks of all scopes. */
export class LockStore {
  private readonly table: JsonTable<ManagementLock>;

  constructor(database: DatabaseSync) {
    this.table = new JsonTable(database, "managementLocks");
  }

  get(id: string): ManagementLock | undefined {
    return this.table.get(id.toLowerCase());
  }

  put(lock: ManagementLock): ManagementLock {
    return this.table.set(lock.id.toLowerCase(), lock);
  }

  delete(id: string): boolean {
    return this.table.delete(id.toLowerCase());
  }

  all(): ManagementLock[] {
    return this.table.values();
  }

  /** The locks that a scope inherits, and its own. */
  over(scope: string): ManagementLock[] {
    return this.all().filter((lock) => isWithin(scope, lock.scope));
  }

  /** The locks on what lies below a scope. */
  below(scope: string): ManagementLock[] {
    return this.all().filter((lock) => isWithin(lock.scope, scope) && !isSame(lock.scope, scope));
  }

  /** A lock does not outlive what it is on. */
  forgetScope(scope: string): void {
    for (const lock of this.all()) if (isWithin(lock.scope, scope)) this.delete(lock.id);
  }
}
