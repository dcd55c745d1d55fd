import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { DurableClient, HttpDurableClientOptions } from "durable-functions";
import type { z } from "zod";
import type { TokenVerifier } from "../access/token-verifier";
import {
  FinishRequest,
  HeartbeatRequest,
  NoticeRequest,
  RegisterRequest,
  type RegisterReply,
  WorkRequest,
} from "../contract/agent";
import type { InstanceClient } from "../domain/instances";
import type { AccessAudit } from "../intake/access-audit";
import type { AgentReports } from "../intake/agent-report";
import { type AgentRegistry, useSession } from "../intake/register-agent";
import { wakeJob, wakeScheduler } from "../intake/start-work";
import type { WorkIntake } from "../intake/hand-out-work";
import type { AgentSessionRow, AgentSessionTable } from "../state/agent-session-table";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import type { Stored } from "../state/rows";
import { answer, parseBody, problem } from "./http-answer";

export interface AgentCallDeps {
  readonly verifier: TokenVerifier;
  readonly organizations: OrganizationTable;
  readonly sessions: AgentSessionTable;
  readonly registry: AgentRegistry;
  readonly reports: AgentReports;
  readonly work: WorkIntake;
  readonly accessAudit: AccessAudit;
  readonly instances: (client: DurableClient) => InstanceClient;
  readonly heartbeatSeconds: number;
  readonly workPollSeconds: number;
}

const STALE_LEASE = (): HttpResponseInit =>
  problem(409, "StaleLease", "the lease is not this machine's any more: stop the container");

interface Call<Body> {
  readonly body: Body;
  readonly organization: OrganizationRow;
  readonly instances: InstanceClient;
}

/** POST /api/agent/v1/…: what the programs on the VMs say. Each proves itself by the machine identity's token, then by its session. */
export function createAgentCalls(deps: AgentCallDeps) {
  const guard = new AgentGuard(deps);
  return {
    register: guard.route("register", RegisterRequest, (call) => register(deps, call)),
    work: guard.sessionRoute("work", WorkRequest, async (call) =>
      answer(200, await deps.work.find(call.organization, call.body)),
    ),
    heartbeat: guard.sessionRoute("heartbeat", HeartbeatRequest, async (call, session) => {
      const { outcome, cancel } = await deps.reports.heartbeat(session, call.body);
      return outcome === "stale" ? STALE_LEASE() : answer(200, { cancel });
    }),
    notice: guard.sessionRoute("notice", NoticeRequest, async (call) => {
      const outcome = call.body.kind === "started" ? await deps.reports.started(call.body) : "recorded";
      return outcome === "stale" ? STALE_LEASE() : answer(200, {});
    }),
    finish: guard.sessionRoute("finish", FinishRequest, (call) => finish(deps, call)),
  };
}

async function register(deps: AgentCallDeps, call: Call<RegisterRequest>): Promise<HttpResponseInit> {
  const registration = await deps.registry.register(call.body);
  const { org, machineId } = call.body;
  if (registration.outcome === "refused") {
    await deps.accessAudit.registered({ org, machineId, code: registration.code });
    return problem(403, registration.code, `machine ${call.body.machineId}: ${registration.code}`);
  }
  const { bootId, session, lostJobId } = registration;
  await deps.accessAudit.registered({ org, machineId, bootId });
  if (lostJobId !== undefined) await wakeJob(call.instances, call.organization.org, lostJobId);
  await wakeScheduler(call.instances, call.organization.settings.subscriptionId);
  const { heartbeatSeconds, workPollSeconds } = deps;
  const reply: RegisterReply = { bootId, session, heartbeatSeconds, workPollSeconds };
  return answer(200, reply);
}

async function finish(deps: AgentCallDeps, call: Call<FinishRequest>): Promise<HttpResponseInit> {
  const { org, jobId, report } = call.body;
  if ((await deps.reports.finished(call.body, report)) === "stale") return STALE_LEASE();
  const { subscriptionId } = call.organization.settings;
  await Promise.all([wakeJob(call.instances, org, jobId), wakeScheduler(call.instances, subscriptionId)]);
  return answer(200, {});
}

interface SessionBody {
  readonly org: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly session: string;
  readonly jobId?: string | undefined;
}

class AgentGuard {
  constructor(private readonly deps: AgentCallDeps) {}

  /** A route for callers whose token is of the organization's machine identity. */
  route<Body extends { org: string }>(
    name: string,
    schema: z.ZodType<Body>,
    handle: (call: Call<Body>) => Promise<HttpResponseInit>,
  ): HttpDurableClientOptions {
    return {
      route: `api/agent/v1/${name}`,
      methods: ["POST"],
      authLevel: "anonymous",
      handler: async (request, client: DurableClient) => {
        const parsed = await parseBody(request, schema);
        if (!parsed.ok) return parsed.response;
        const identified = await this.identify(request, parsed.value.org);
        if ("response" in identified) return identified.response;
        return handle({ body: parsed.value, ...identified, instances: this.deps.instances(client) });
      },
    };
  }

  /** A route for agents that have registered; the session has to be the machine's current one. */
  sessionRoute<Body extends SessionBody>(
    name: string,
    schema: z.ZodType<Body>,
    handle: (call: Call<Body>, session: Stored<AgentSessionRow>) => Promise<HttpResponseInit>,
  ): HttpDurableClientOptions {
    return this.route(name, schema, async (call) => {
      const session = await useSession(this.deps.sessions, call.body);
      if (session?.value.bootId === call.body.bootId) return handle(call, session);
      // A report of an earlier boot: whatever ran then is gone, and so is its lease.
      if (session && call.body.jobId !== undefined) return STALE_LEASE();
      return problem(409, "StaleSession", "this session is not the machine's current one: register again");
    });
  }

  private async identify(
    request: HttpRequest,
    org: string,
  ): Promise<{ organization: OrganizationRow } | { response: HttpResponseInit }> {
    const verification = await this.deps.verifier.verify(request.headers.get("authorization"));
    if (verification.outcome === "unavailable") {
      return { response: problem(503, "KeysUnavailable", { message: "come again", retryAfterSeconds: 5 }) };
    }
    if (verification.outcome === "refused") return { response: problem(401, "Unauthenticated", verification.reason) };
    const organization = (await this.deps.organizations.find(org))?.value;
    const isMachine = organization?.machinePrincipalId?.toLowerCase() === verification.caller.objectId;
    if (organization && isMachine) return { organization };
    return { response: problem(403, "NotAMachine", "the token is not of a machine of this organization") };
  }
}
