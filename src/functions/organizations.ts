import type { HttpFunctionOptions, HttpResponseInit } from "@azure/functions";
import type { DurableClient, HttpDurableClientOptions } from "durable-functions";
import type { Caller } from "../access/token-verifier";
import { OrgName } from "../contract/names";
import { EstateConfirmation, Organization } from "../contract/organization";
import { OWNER, refusalToGive } from "../domain/access/delegation";
import type { AuditTrail } from "../domain/audit";
import { ledgerOf } from "../domain/ledger";
import { refusalOfImage } from "../domain/admission";
import { estateInstanceIdOf, type InstanceClient } from "../domain/instances";
import type { OrganizationIntake } from "../intake/register-organization";
import type { JobTable } from "../state/job-table";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import { audited } from "./audited";
import type { CallerGuard } from "./caller-guard";
import { answer, parseBody, problem } from "./http-answer";

export interface OrganizationCallDeps {
  readonly guard: CallerGuard;
  readonly organizations: OrganizationTable;
  readonly intake: OrganizationIntake;
  readonly jobs: JobTable;
  readonly audit: AuditTrail;
  readonly estatePrefix: string;
  readonly instances: (client: DurableClient) => InstanceClient;
}

const OPERATION = "Corral/organizations/write";
const OWNER_ROLE = { key: OWNER, actions: ["*"], notActions: [] };

function viewOf(row: OrganizationRow, { estatePrefix }: Pick<OrganizationCallDeps, "estatePrefix">): object {
  const { settings, state, reasons, createdAt, vaultUrl } = row;
  return { ...settings, state, reasons, createdAt, estatePrefix, ...(vaultUrl !== undefined && { vaultUrl }) };
}

/** HTTP /orgs: register, show, list; confirm an estate that its owner has laid down; the ledger. */
export function createOrganizationCalls(deps: OrganizationCallDeps) {
  return { put: put(deps), get: get(deps), list: list(deps), confirm: confirm(deps), ledger: ledger(deps) };
}

function put(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}",
    methods: ["PUT"],
    authLevel: "anonymous",
    handler: async (request, context) => {
      const caller = await deps.guard.caller(request);
      if (!caller.ok) return caller.response;
      const org = request.params["org"] ?? "";
      const known = OrgName.safeParse(org).success ? (await deps.organizations.find(org))?.value : undefined;
      const permitted = await deps.guard.inOrganization(request, OPERATION);
      // One that is not there yet is registered by who may write in the deployment.
      const admitted = known ? permitted : await deps.guard.inDeployment(request, OPERATION);
      if (!admitted.ok) return admitted.response;
      const body = await parseBody(request, Organization);
      if (!body.ok) return body.response;
      if (body.value.org !== org)
        return problem(400, "InvalidRequest", { message: `org: must be ${org}, as in the path`, target: "org" });
      const refusal = refusalOfImage(body.value);
      if (refusal) return problem(400, refusal.code, { message: refusal.message, target: "image" });
      const escalation = await refusalOfAdministrators(deps, { caller: caller.value, known, next: body.value });
      if (escalation) return escalation;
      const call = {
        request,
        context,
        permitted: admitted.value,
        operation: OPERATION,
        org,
        target: `/orgs/${org}`,
      } as const;
      return audited(deps.audit, call, async () => {
        const written = await deps.intake.put(body.value);
        if (written.outcome === "refused")
          return problem(409, "OrganizationConflict", { message: written.message, target: written.field });
        return answer(written.outcome === "registered" ? 201 : 200, viewOf(written.row, deps));
      });
    },
  };
}

/** Administrators are Owners: naming one is giving that role, and taken by the same rule. */
async function refusalOfAdministrators(
  { guard }: OrganizationCallDeps,
  change: { caller: Caller; known: OrganizationRow | undefined; next: Organization },
): Promise<HttpResponseInit | undefined> {
  const { caller, known, next } = change;
  const ids = (list: readonly string[]): string =>
    list
      .map((id) => id.toLowerCase())
      .toSorted()
      .join();
  if (known && ids(known.settings.administrators) === ids(next.administrators)) return undefined;
  const held = await guard.rolesHeldBy(caller, known);
  const refusal = refusalToGive(held, OWNER_ROLE, `/orgs/${next.org}`);
  if (!refusal) return undefined;
  const message = `administrators: they are Owners, and ${refusal.message}`;
  return problem(403, refusal.code, { message, target: "administrators" });
}

function get(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/read");
      return permitted.ok ? answer(200, viewOf(permitted.value.organization, deps)) : permitted.response;
    },
  };
}

function list(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const caller = await deps.guard.caller(request);
      if (!caller.ok) return caller.response;
      const all = await deps.organizations.list();
      const may = await Promise.all(all.map((each) => deps.guard.may(caller.value, "Corral/organizations/read", each)));
      return answer(200, { value: all.filter((_, index) => may[index]).map((row) => viewOf(row, deps)) });
    },
  };
}

function confirm(deps: OrganizationCallDeps): HttpDurableClientOptions {
  return {
    route: "api/orgs/{org}/estate:confirm",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: async (request, client, context) => {
      const operation = "Corral/organizations/estate/write";
      const permitted = await deps.guard.inOrganization(request, operation);
      if (!permitted.ok) return permitted.response;
      const body = await parseBody(request, EstateConfirmation);
      if (!body.ok) return body.response;
      const { org } = permitted.value.organization;
      const call = {
        request,
        context,
        permitted: permitted.value,
        operation,
        org,
        target: `/orgs/${org}/estate`,
      } as const;
      return audited(deps.audit, call, async () => {
        const row = await deps.intake.confirm(org, body.value);
        await deps.instances(client).startOnce("confirmEstateRun", estateInstanceIdOf(org), { org });
        return answer(202, viewOf(row, deps), { "Operation-Location": `/api/orgs/${org}`, "Retry-After": "1" });
      });
    },
  };
}

function ledger(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}/ledger",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const permitted = await deps.guard.inOrganization(request, "Corral/organizations/jobs/read");
      if (!permitted.ok) return permitted.response;
      return answer(200, ledgerOf(await deps.jobs.listAll(permitted.value.organization.org)));
    },
  };
}
