import { ArmError } from "../arm-error";
import type { ArmRequest } from "../route";
import type { LockStore, ManagementLock } from "./lock-store";

const LOCK_TYPE = "microsoft.authorization/locks";

/**
 * Refuses what a lock forbids: a deletion under either level, and under ReadOnly every PUT, PATCH and POST.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
 */
export function requireUnlocked(locks: LockStore, { method, path }: ArmRequest): void {
  if (method === "GET" || method === "HEAD") return;
  // Locks are set and taken away whatever is locked; that needs a role of its own.
  if (path.type.toLowerCase() === LOCK_TYPE) return;
  const isDelete = method === "DELETE";
  const over = locks.over(path.id).filter(({ level }) => (isDelete ? level !== "NotSpecified" : level === "ReadOnly"));
  // What is to go takes along what lies below it: a lock there saves the whole.
  const below = isDelete ? locks.below(path.id).filter(({ level }) => level !== "NotSpecified") : [];
  const inTheWay = [...over, ...below];
  if (inTheWay.length > 0) throw scopeLocked(path.id, isDelete ? "delete" : "write", inTheWay);
}

const scopeLocked = (scope: string, verb: "delete" | "write", locks: readonly ManagementLock[]): ArmError =>
  new ArmError(409, {
    code: "ScopeLocked",
    message: `The scope '${scope}' cannot perform ${verb} operation because following scope(s) are locked: '${[...new Set(locks.map((lock) => lock.scope))].join(",")}'. Please remove the lock and try again.`,
  });
