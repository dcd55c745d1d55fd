import type { TableClient } from "@azure/data-tables";
import { AccessDirectory } from "../../src/access/access-directory";
import { RateLimit } from "../../src/access/rate-limit";
import { RoleCatalogue } from "../../src/access/role-catalogue";
import { ScopeResolver } from "../../src/access/scope-resolver";
import type { TokenVerifier } from "../../src/access/token-verifier";
import { CallerGuard } from "../../src/functions/caller-guard";
import { AccessAudit } from "../../src/intake/access-audit";
import { AuditLog } from "../../src/intake/audit-trail";
import { AuditTable } from "../../src/state/audit-table";
import type { OrganizationTable } from "../../src/state/organization-table";
import { RateTable } from "../../src/state/rate-table";
import { RoleAssignmentTable } from "../../src/state/role-assignment-table";
import { RoleDefinitionTable } from "../../src/state/role-definition-table";
import { useTable } from "./azurite";

export const FIRST_OWNER = "0e000000-0000-4000-8000-000000000001";

export interface AccessOptions {
  readonly verifier: TokenVerifier;
  readonly organizations: OrganizationTable;
  readonly requiredContext?: string;
}

/** What decides who may do what, on real tables. Call within a test for an instance of the app of its own. */
export function useAccess() {
  const tables = ["RoleDefinitions", "RoleAssignments", "Audit", "Rates"].map((name) => useTable(name));
  return ({ verifier, organizations, requiredContext }: AccessOptions) => {
    // Four names were given above.
    const [definitionRows, assignmentRows, auditTable, rateTable] = tables.map((table) => table()) as [
      TableClient,
      TableClient,
      TableClient,
      TableClient,
    ];
    const definitions = new RoleDefinitionTable(definitionRows);
    const assignments = new RoleAssignmentTable(assignmentRows);
    const auditRows = new AuditTable(auditTable);
    const audit = new AuditLog([auditRows]);
    const directory = new AccessDirectory({ definitions, assignments, firstOwnerId: FIRST_OWNER });
    const scopes = new ScopeResolver(organizations, "corral");
    const accessAudit = new AccessAudit(audit, () => undefined);
    const rateLimit = new RateLimit(new RateTable(rateTable));
    const guard = new CallerGuard({
      verifier,
      organizations,
      directory,
      scopes,
      accessAudit,
      rateLimit,
      requiredContext,
    });
    return {
      ...{ definitions, assignments, auditRows, audit, directory, scopes, guard, auditTable },
      catalogue: new RoleCatalogue(definitions),
    };
  };
}
