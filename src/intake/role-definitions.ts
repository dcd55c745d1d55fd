import { randomBytes } from "node:crypto";
import type { RoleDefinitionBody } from "../contract/access";
import type { Scope } from "../domain/access/scope";
import type { RoleDefinitionRow, RoleDefinitionTable } from "../state/role-definition-table";

export interface RoleWrite {
  readonly home: string;
  readonly slug: string;
  readonly body: RoleDefinitionBody;
  readonly assignableScopes: readonly Scope[];
  readonly by: string;
}

/** Custom roles. Whether the writer may is decided before; here it becomes a row. */
export class RoleDefinitions {
  constructor(private readonly definitions: RoleDefinitionTable) {}

  /** `changed`: somebody else wrote it since it was judged, so the judgement is void. */
  async put(
    write: RoleWrite,
  ): Promise<{ outcome: "created" | "replaced"; row: RoleDefinitionRow } | { outcome: "changed" }> {
    const { home, slug, by, ...rest } = write;
    const known = await this.definitions.find(home, slug);
    const row: RoleDefinitionRow = {
      home,
      slug,
      ...rest,
      key: known?.value.key ?? `${home}/${slug}/${randomBytes(6).toString("hex")}`,
      changedAt: new Date().toISOString(),
      changedBy: by,
    };
    if (!known) {
      const inserted = await this.definitions.insert(row);
      return inserted === "inserted" ? { outcome: "created", row } : { outcome: "changed" };
    }
    const replaced = await this.definitions.replace(known, row);
    return replaced === "replaced" ? { outcome: "replaced", row } : { outcome: "changed" };
  }

  remove(home: string, slug: string): Promise<void> {
    return this.definitions.remove(home, slug);
  }
}
