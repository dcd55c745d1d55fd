import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient, HttpDurableClientOptions } from "durable-functions";
import type { z } from "zod";
import type { TokenVerifier } from "../access/token-verifier";
import {
  FinishRequest,
  HeartbeatRequest,
  NoticeRequest,
  RegisterRequest,
  type RegisterReply,
  type WorkReply,
  WorkRequest,
} from "../contract/agent";
import type { InstanceClient } from "../domain/instances";
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
  readonly context: InvocationContext;
}

/** POST /api/agent/v1/…: what the programs on the VMs say. Each proves itself by the machine identity's token, then by its session. */
export function createAgentCalls(deps: AgentCallDeps) {
  /** The organization whose machine identity signed the call; the reasons of a refusal stay with us. */
  async function identify(request: HttpRequest, org: string): Promise<OrganizationRow | HttpResponseInit> {
    const verification = await deps.verifier.verify(request.headers.get("authorization"));
    if (verification.outcome === "unavailable")
      return problem(503, "KeysUnavailable", "come again", { retryAfterSeconds: 5 });
    if (verification.outcome === "refused") return problem(401, "Unauthenticated", verification.reason);
    const organization = (await deps.organizations.find(org))?.value;
    const isMachine = organization?.machinePrincipalId?.toLowerCase() === verification.caller.objectId;
    return organization && isMachine
      ? organization
      : problem(403, "NotAMachine", "the token is not of a machine of this organization");
  }

  function route<Schema extends z.ZodType<{ org: string }>>(
    name: string,
    schema: Schema,
    handle: (call: Call<z.infer<Schema>>) => Promise<HttpResponseInit>,
  ): HttpDurableClientOptions {
    return {
      route: `api/agent/v1/${name}`,
      methods: ["POST"],
      authLevel: "anonymous",
      handler: async (request, client, context) => {
        const parsed = await parseBody(request, schema);
        if (!parsed.ok) return parsed.response;
        const organization = await identify(request, parsed.value.org);
        if (!("settings" in organization)) return organization;
        return handle({ body: parsed.value, organization, instances: deps.instances(client), context });
      },
    };
  }

  async function withSession<Body extends { org: string; machineId: string; bootId: string; session: string }>(
    call: Call<Body>,
    handle: (session: Stored<AgentSessionRow>) => Promise<HttpResponseInit>,
  ): Promise<HttpResponseInit> {
    const session = await useSession(deps.sessions, call.body);
    return session
      ? handle(session)
      : problem(409, "StaleSession", "this session is not the machine's current one: register again");
  }

  const subscriptionOf = ({ organization }: { organization: OrganizationRow }): string =>
    organization.settings.subscriptionId;

  return {
    register: route("register", RegisterRequest, async (call) => {
      const registration = await deps.registry.register(call.body);
      if (registration.outcome === "refused")
        return problem(403, registration.code, `machine ${call.body.machineId}: ${registration.code}`);
      const { lostJobId } = registration;
      if (lostJobId !== undefined) await wakeJob(call.instances, call.organization.org, lostJobId);
      await wakeScheduler(call.instances, subscriptionOf(call));
      const { bootId, session } = registration;
      const reply: RegisterReply = {
        bootId,
        session,
        heartbeatSeconds: deps.heartbeatSeconds,
        workPollSeconds: deps.workPollSeconds,
      };
      return answer(200, reply);
    }),

    work: route("work", WorkRequest, (call) =>
      withSession(call, async () => {
        const reply: WorkReply = await deps.work.find(call.organization, call.body);
        return answer(200, reply);
      }),
    ),

    heartbeat: route("heartbeat", HeartbeatRequest, (call) =>
      withSession(call, async (session) => {
        const { outcome, cancel } = await deps.reports.heartbeat(session, call.body);
        return outcome === "stale" ? STALE_LEASE() : answer(200, { cancel });
      }),
    ),

    notice: route("notice", NoticeRequest, (call) =>
      withSession(call, async () => {
        const outcome = call.body.kind === "started" ? await deps.reports.started(call.body) : "recorded";
        return outcome === "stale" ? STALE_LEASE() : answer(200, {});
      }),
    ),

    finish: route("finish", FinishRequest, (call) =>
      withSession(call, async () => {
        const { org, jobId, report } = call.body;
        if ((await deps.reports.finished(call.body, report)) === "stale") return STALE_LEASE();
        await Promise.all([wakeJob(call.instances, org, jobId), wakeScheduler(call.instances, subscriptionOf(call))]);
        return answer(200, {});
      }),
    ),
  };
}
