import type { HttpFunctionOptions } from "@azure/functions";
import { createAccessCheck } from "../../src/functions/access-check";
import { createAuditCalls } from "../../src/functions/audit";
import { createRoleAssignmentCalls } from "../../src/functions/role-assignments";
import { createRoleDefinitionCalls } from "../../src/functions/role-definitions";
import { RoleAssignments } from "../../src/intake/role-assignments";
import { RoleDefinitions } from "../../src/intake/role-definitions";
import { OrganizationTable } from "../../src/state/organization-table";
import { FIRST_OWNER, useAccess } from "./access";
import { useTable } from "./azurite";
import { type EntraKeys, startEntraKeys } from "./entra-keys";
import { type Answer, answerOf, httpRequest, invocation } from "./function-calls";
import { organizationRow, sampleOrganization } from "./sample-rows";

export interface Call {
  readonly as?: string;
  /** `-`: the routes without an organization. */
  readonly org?: string;
  readonly name?: string;
  readonly body?: unknown;
  readonly query?: string;
  readonly claims?: Record<string, unknown>;
}

/** The routes of access, called as the host calls them, with the organizations `demo` and `other`. */
export function useAccessCalls() {
  const organizationRows = useTable("Organizations");
  const access = useAccess();
  let entra: EntraKeys;
  beforeAll(async () => {
    entra = await startEntraKeys();
  });
  afterAll(() => entra.close());
  beforeEach(async () => {
    const organizations = new OrganizationTable(organizationRows());
    for (const org of ["demo", "other"]) {
      const settings = sampleOrganization({ org });
      await organizations.insert({ ...organizationRow({ settings }), org });
    }
  });

  /** One instance of the app. */
  const instance = () => {
    const organizations = new OrganizationTable(organizationRows());
    const deps = access({ verifier: entra.verifier, organizations });
    const calls = {
      roles: createRoleDefinitionCalls({ ...deps, roles: new RoleDefinitions(deps.definitions) }),
      assignments: createRoleAssignmentCalls({ ...deps, given: new RoleAssignments(deps.assignments) }),
      check: createAccessCheck(deps),
      audit: createAuditCalls({ guard: deps.guard, audit: deps.auditRows }),
    };
    const send = async (
      route: { org: HttpFunctionOptions; wide: HttpFunctionOptions },
      call: Call = {},
    ): Promise<Answer> => {
      const { as = FIRST_OWNER, org = "demo", name = "", body, query = "", claims = {} } = call;
      const params = { ...(org !== "-" && { org }), slug: name, id: name };
      const request = httpRequest({
        authorization: await entra.bearerOf(as, { claims }),
        params,
        query,
        ...(body !== undefined && { body }),
      });
      return answerOf(await (org === "-" ? route.wide : route.org).handler(request, invocation()));
    };
    return { ...deps, calls, send };
  };
  return instance;
}
