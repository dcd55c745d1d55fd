import type { HttpFunctionOptions } from "@azure/functions";
import type { DurableClient, HttpDurableClientOptions } from "durable-functions";
import { EstateConfirmation, Organization } from "../contract/organization";
import { ledgerOf } from "../domain/ledger";
import { refusalOfImage } from "../domain/admission";
import { estateInstanceIdOf, type InstanceClient } from "../domain/instances";
import type { OrganizationIntake } from "../intake/register-organization";
import type { JobTable } from "../state/job-table";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import type { CallerGuard } from "./caller-guard";
import { answer, parseBody, problem } from "./http-answer";

export interface OrganizationCallDeps {
  readonly guard: CallerGuard;
  readonly organizations: OrganizationTable;
  readonly intake: OrganizationIntake;
  readonly jobs: JobTable;
  readonly instances: (client: DurableClient) => InstanceClient;
}

function viewOf({ settings, state, reasons, createdAt }: OrganizationRow): object {
  return { ...settings, state, reasons, createdAt };
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
    handler: async (request) => {
      const owner = await deps.guard.owner(request);
      if (!owner.ok) return owner.response;
      const body = await parseBody(request, Organization);
      if (!body.ok) return body.response;
      const org = request.params["org"] ?? "";
      if (body.value.org !== org)
        return problem(400, "InvalidRequest", { message: `org: must be ${org}, as in the path`, target: "org" });
      const refusal = refusalOfImage(body.value);
      if (refusal) return problem(400, refusal.code, { message: refusal.message, target: "image" });
      const written = await deps.intake.put(body.value);
      if (written.outcome === "refused")
        return problem(409, "OrganizationConflict", { message: written.message, target: written.field });
      return answer(written.outcome === "registered" ? 201 : 200, viewOf(written.row));
    },
  };
}

function get(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const member = await deps.guard.member(request);
      return member.ok ? answer(200, viewOf(member.value.organization)) : member.response;
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
      const seen = all.filter((organization) => deps.guard.mayActIn(caller.value, organization));
      return answer(200, { value: seen.map(viewOf) });
    },
  };
}

function confirm(deps: OrganizationCallDeps): HttpDurableClientOptions {
  return {
    route: "api/orgs/{org}/estate:confirm",
    methods: ["POST"],
    authLevel: "anonymous",
    handler: async (request, client) => {
      const member = await deps.guard.member(request);
      if (!member.ok) return member.response;
      const body = await parseBody(request, EstateConfirmation);
      if (!body.ok) return body.response;
      const { org } = member.value.organization;
      const row = await deps.intake.confirm(org, body.value);
      await deps.instances(client).startOnce("confirmEstateRun", estateInstanceIdOf(org), { org });
      return answer(202, viewOf(row), { "Operation-Location": `/api/orgs/${org}`, "Retry-After": "1" });
    },
  };
}

function ledger(deps: OrganizationCallDeps): HttpFunctionOptions {
  return {
    route: "api/orgs/{org}/ledger",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: async (request) => {
      const member = await deps.guard.member(request);
      if (!member.ok) return member.response;
      return answer(200, ledgerOf(await deps.jobs.listAll(member.value.organization.org)));
    },
  };
}
