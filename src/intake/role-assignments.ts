import type { RoleAssignmentRow, RoleAssignmentTable } from "../state/role-assignment-table";

export type Assigned =
  | { readonly outcome: "created" | "known"; readonly row: RoleAssignmentRow }
  | {
      readonly outcome: "refused";
      readonly code: "RoleAssignmentExists" | "RoleAssignmentUpdateNotPermitted";
      readonly message: string;
    };

/** Assignments. Whether the giver may is decided before; here it becomes a row. */
export class RoleAssignments {
  constructor(private readonly assignments: RoleAssignmentTable) {}

  /** Safe to repeat: the same id with the same content is known. Two ids for one grant would make a revocation incomplete. */
  async put(row: RoleAssignmentRow): Promise<Assigned> {
    const others = await this.assignments.listOf(row.home);
    const known = others.find(({ id }) => id === row.id);
    if (known && isSameGrant(known, row)) return { outcome: "known", row: known };
    if (known) {
      const message = `the assignment ${row.id} gives another role, or to another principal or scope: remove it, or choose another id`;
      return { outcome: "refused", code: "RoleAssignmentUpdateNotPermitted", message };
    }
    const twin = others.find((other) => isSameGrant(other, row));
    if (twin) {
      const message = `the principal has this role at this scope already, by the assignment ${twin.id}`;
      return { outcome: "refused", code: "RoleAssignmentExists", message };
    }
    if ((await this.assignments.insert(row)) === "inserted") return { outcome: "created", row };
    throw new Error(`assignment ${row.id}: it appeared in the meantime, try again`);
  }

  remove(home: string, id: string): Promise<void> {
    return this.assignments.remove(home, id);
  }
}

const isSameGrant = (one: RoleAssignmentRow, other: RoleAssignmentRow): boolean =>
  one.principalId === other.principalId && one.role === other.role && one.scope === other.scope;
