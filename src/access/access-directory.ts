import type { Assignment, Grants } from "../domain/access/evaluator";
import { assignmentsOfSettings } from "../domain/access/delegation";
import { BUILT_IN_ROLES, type Role } from "../domain/access/role";
import { organizationScope } from "../domain/access/scope";
import type { OrganizationRow } from "../state/organization-table";
import type { RoleAssignmentTable } from "../state/role-assignment-table";
import { type RoleDefinitionRow, type RoleDefinitionTable, WIDE_HOME } from "../state/role-definition-table";

/** How long another instance's change may go unseen here; what is written through this instance is seen at once. */
const KEPT_MS = 20_000;

interface Held {
  readonly roles: readonly RoleDefinitionRow[];
  readonly assignments: readonly Assignment[];
}

interface Kept {
  readonly askedAt: number;
  readonly held: Promise<Held>;
}

export interface AccessDirectoryDeps {
  readonly definitions: RoleDefinitionTable;
  readonly assignments: RoleAssignmentTable;
  /** Object id of the deployment's first owner. */
  readonly firstOwnerId: string;
}

export const roleOf = ({ key, body }: RoleDefinitionRow): Role => ({
  key,
  actions: body.Actions,
  notActions: body.NotActions,
});

/** Who holds which role, as the tables and the settings say. Each organization's rows are kept for some seconds, and the wide ones. */
export class AccessDirectory {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly deps: AccessDirectoryDeps) {}

  /** Everything that counts in an organization; without one, everything that counts beyond a single organization. */
  async grantsIn(organization: OrganizationRow | undefined): Promise<Grants> {
    const homes = organization ? [WIDE_HOME, organization.org] : [WIDE_HOME];
    const held = await Promise.all(homes.map((home) => this.heldIn(home)));
    const roles = new Map<string, Role>(BUILT_IN_ROLES.map((role) => [role.key, role]));
    for (const row of held.flatMap((each) => each.roles)) roles.set(row.key, roleOf(row));
    const settings = assignmentsOfSettings({
      firstOwnerId: this.deps.firstOwnerId,
      organization: organization && {
        scope: organizationScope(organization.org),
        administrators: organization.settings.administrators,
      },
    });
    return { roles, assignments: [...settings, ...held.flatMap(({ assignments }) => assignments)] };
  }

  /** After a write: the next question reads the rows again. */
  forget(home: string): void {
    this.kept.delete(home);
  }

  private heldIn(home: string): Promise<Held> {
    const now = Date.now();
    const known = this.kept.get(home);
    if (known && now - known.askedAt < KEPT_MS) return known.held;
    const held = this.read(home);
    this.kept.set(home, { askedAt: now, held });
    // A failure is not kept: who asks next asks again.
    held.catch(() => {
      if (this.kept.get(home)?.held === held) this.kept.delete(home);
    });
    return held;
  }

  private async read(home: string): Promise<Held> {
    const [roles, assignments] = await Promise.all([
      this.deps.definitions.listOf(home),
      this.deps.assignments.listOf(home),
    ]);
    return { roles, assignments };
  }
}
