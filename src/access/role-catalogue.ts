import { BUILT_IN_ROLES, type Role } from "../domain/access/role";
import type { Scope } from "../domain/access/scope";
import { type RoleDefinitionRow, type RoleDefinitionTable, WIDE_HOME } from "../state/role-definition-table";
import { roleOf } from "./access-directory";

/** A role by the name that people use. */
export interface NamedRole {
  readonly role: Role;
  readonly name: string;
  /** Where it may be assigned; undefined: everywhere. */
  readonly assignableScopes: readonly Scope[] | undefined;
}

/** Slug of a built-in role: `Job Submitter` is `job-submitter`. */
export const slugOfBuiltIn = (name: string): string => name.toLowerCase().replaceAll(" ", "-");

/** What people call a role, of the key that assignments hold: a custom one's is `<home>/<slug>/<random>`. */
export const roleNameOf = (key: string): string => key.split("/")[1] ?? key;

export const findBuiltIn = (name: string): (typeof BUILT_IN_ROLES)[number] | undefined =>
  BUILT_IN_ROLES.find(({ key }) => slugOfBuiltIn(key) === slugOfBuiltIn(name));

/** Finds roles by name: built-in ones first, then the organization's own, then those of the deployment. */
export class RoleCatalogue {
  constructor(private readonly definitions: RoleDefinitionTable) {}

  async find(name: string, home: string): Promise<NamedRole | undefined> {
    const builtIn = findBuiltIn(name);
    if (builtIn) return { role: builtIn, name: builtIn.key, assignableScopes: undefined };
    const slug = name.toLowerCase();
    for (const each of home === WIDE_HOME ? [WIDE_HOME] : [home, WIDE_HOME]) {
      const row = (await this.definitions.find(each, slug))?.value;
      if (row) return { role: roleOf(row), name: row.slug, assignableScopes: row.assignableScopes };
    }
    return undefined;
  }

  /** Custom roles that can be used in a home: its own and those of the deployment. */
  async listFor(home: string): Promise<RoleDefinitionRow[]> {
    const homes = home === WIDE_HOME ? [WIDE_HOME] : [home, WIDE_HOME];
    const lists = await Promise.all(homes.map((each) => this.definitions.listOf(each)));
    return lists.flat();
  }
}
