import { createAgentCalls } from "../../../src/functions/agent-calls";
import { AccessAudit } from "../../../src/intake/access-audit";
import { AgentReports } from "../../../src/intake/agent-report";
import { WorkIntake } from "../../../src/intake/hand-out-work";
import { AgentRegistry, hashOfSecret } from "../../../src/intake/register-agent";
import { type EntraKeys, startEntraKeys, type TokenFields } from "../../support/entra-keys";
import { type Answer, answerOf, httpRequest, invocation, noClient } from "../../support/function-calls";
import {
  ADMINISTRATOR,
  attemptRow,
  jobRow,
  MACHINE_PRINCIPAL,
  machineRow,
  organizationRow,
  sampleOrganization,
  SUBSCRIPTION,
} from "../../support/sample-rows";
import { useWorld } from "../../support/world";

const world = useWorld();
let entra: EntraKeys;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterAll(() => entra.close());
beforeEach(async () => {
  const other = sampleOrganization({ org: "demo2" });
  await world().organizations.insert(organizationRow());
  await world().organizations.insert(organizationRow({ settings: other, machinePrincipalId: ADMINISTRATOR }));
  await world().machines.insert(machineRow({ nonceHash: hashOfSecret("the-nonce") }));
});

type Route = "register" | "work" | "heartbeat" | "notice" | "finish";
const machine = { org: "demo", machineId: "m000000001" };
const lease = { jobId: "j1", attempt: 1 };

function agentCalls(verifier = entra.verifier) {
  const w = world();
  return createAgentCalls({
    ...w,
    verifier,
    registry: new AgentRegistry(w.machines, w.sessions),
    reports: new AgentReports(w),
    work: new WorkIntake(w.machines, w.jobs),
    accessAudit: new AccessAudit(w.audit, () => undefined),
    instances: () => w.instances,
    heartbeatSeconds: 30,
    workPollSeconds: 2,
  });
}

async function call(
  route: Route,
  body: unknown,
  { objectId = MACHINE_PRINCIPAL, ...fields }: TokenFields & { objectId?: string } = {},
): Promise<Answer> {
  const authorization = await entra.bearerOf(objectId, fields);
  const { handler } = agentCalls()[route];
  return answerOf(await handler(httpRequest({ authorization, body }), noClient, invocation()));
}

/** A registered agent, and what it sends along from then on. */
async function register(): Promise<{ bootId: string; session: string }> {
  const { body } = await call("register", { ...machine, vmId: "vm", agentVersion: "1", bootNonce: "the-nonce" });
  return { ...machine, bootId: String(body["bootId"]), session: String(body["session"]) };
}

async function leaseTo({ bootId }: { bootId: string }): Promise<void> {
  const w = world();
  await w.jobs.insert(jobRow({ state: "Starting", attempt: 1, machineId: machine.machineId }));
  await w.attempts.insert(attemptRow({ bootId }));
  const before = await w.machines.find("demo", machine.machineId);
  if (before) await w.machines.replace(before, { ...before.value, state: "Leased", lease: { ...lease, bootId } });
}

it("registers an agent, tells it how often to call, and wakes the scheduler", async () => {
  const { status, body } = await call("register", {
    ...machine,
    vmId: "vm",
    agentVersion: "1",
    bootNonce: "the-nonce",
  });

  expect(status).toBe(200);
  expect(body).toMatchObject({ heartbeatSeconds: 30, workPollSeconds: 2 });
  expect(world().instances.woken).toEqual([`scheduler-${SUBSCRIPTION}`]);
});

it("goes with an agent from registration to the end of its job", async () => {
  const agent = await register();
  await leaseTo(agent);
  const report = { outcome: "Succeeded", exitCode: 0, runMs: 5 };
  const answers = [
    await call("work", agent),
    await call("notice", { ...agent, ...lease, kind: "started" }),
    await call("heartbeat", { ...agent, ...lease, containers: 1, sshSessions: 0 }),
    await call("notice", { ...agent, ...lease, kind: "evicting" }),
    await call("finish", { ...agent, ...lease, report }),
    await call("finish", { ...agent, ...lease, report }),
  ];

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect(answers[0]?.body).toMatchObject({ work: { jobId: "j1" }, drain: false });
  expect((await world().jobs.find("demo", "j1"))?.value.state).toBe("Running");
  expect((await world().machines.find("demo", machine.machineId))?.value.state).toBe("Idle");
  expect(world().instances.woken).toEqual(["job-demo-j1", `scheduler-${SUBSCRIPTION}`]);
});

it("tells the run of the job that a reboot has ended", async () => {
  const agent = await register();
  await leaseTo(agent);
  const { session } = agent;
  const { body } = await call("register", { ...machine, vmId: "vm", agentVersion: "1", session });

  expect(body["bootId"]).not.toBe(agent.bootId);
  expect(world().instances.woken).toContain("job-demo-j1");
});

it.each<[string, TokenFields & { objectId?: string }, number, string]>([
  ["of another audience", { claims: { aud: "api://other" } }, 401, "Unauthenticated"],
  ["that has expired", { issuedSecondsAgo: 1000, lifetimeSeconds: 100 }, 401, "Unauthenticated"],
  ["signed by somebody else", { key: "stranger" }, 401, "Unauthenticated"],
  ["of another organization's machines", { objectId: ADMINISTRATOR }, 403, "NotAMachine"],
  ["of nobody", { objectId: "57000000-0000-4000-8000-000000000001" }, 403, "NotAMachine"],
])("refuses a token %s on every route (I7)", async (...[_what, token, status, code]) => {
  const agent = await register();
  const bodies: Record<Route, object> = {
    register: { ...machine, vmId: "vm", agentVersion: "1", bootNonce: "the-nonce" },
    work: agent,
    heartbeat: { ...agent, containers: 0, sshSessions: 0 },
    notice: { ...agent, ...lease, kind: "started" },
    finish: { ...agent, ...lease, report: { outcome: "Succeeded", runMs: 1 } },
  };

  for (const [route, body] of Object.entries(bodies)) {
    // The keys of `bodies` are routes.
    expect(await call(route as Route, body, token)).toMatchObject({ status, code });
  }
});

it("lets no machine in where the organization's identity is not known yet", async () => {
  const { machinePrincipalId: _unknown, ...row } = organizationRow({ settings: sampleOrganization({ org: "demo3" }) });
  await world().organizations.insert(row);

  expect(
    await call("register", { ...machine, org: "demo3", vmId: "v", agentVersion: "1", bootNonce: "the-nonce" }),
  ).toMatchObject({
    status: 403,
    code: "NotAMachine",
  });
});

it("refuses to register with the wrong nonce, and says why in a code", async () => {
  expect(await call("register", { ...machine, vmId: "vm", agentVersion: "1", bootNonce: "wrong" })).toMatchObject({
    status: 403,
    code: "BootNonceRefused",
  });
});

it("takes nothing from a session that is not the machine's (F43)", async () => {
  const agent = { ...(await register()), session: "made-up" };

  expect(await call("work", agent)).toMatchObject({ status: 409, code: "StaleSession" });
  expect(await call("finish", { ...agent, ...lease, report: { outcome: "Succeeded", runMs: 1 } })).toMatchObject({
    status: 409,
    code: "StaleSession",
  });
});

it("tells an agent of an earlier boot to stop its container, or to register again when it has none (F42)", async () => {
  const agent = { ...(await register()), bootId: "boot-of-before" };

  expect(await call("heartbeat", { ...agent, ...lease, containers: 1, sshSessions: 0 })).toMatchObject({
    status: 409,
    code: "StaleLease",
  });
  expect(await call("work", agent)).toMatchObject({ status: 409, code: "StaleSession" });
});

it.each<[Route, object]>([
  ["heartbeat", { containers: 1, sshSessions: 0 }],
  ["notice", { kind: "started" }],
  ["finish", { report: { outcome: "Succeeded", runMs: 1 } }],
])("answers %s about a lease that is gone with 409 (F42)", async (route, body) => {
  const agent = await register();

  expect(await call(route, { ...agent, ...lease, ...body })).toMatchObject({ status: 409, code: "StaleLease" });
});

it.each<[unknown, string, string | undefined]>([
  ["not json", "InvalidJson", undefined],
  [{ ...machine, vmId: "vm", agentVersion: "1", bootNonce: 5 }, "InvalidRequest", "bootNonce"],
  [{ ...machine, machineId: "../m", vmId: "vm", agentVersion: "1" }, "InvalidRequest", "machineId"],
  [{ ...machine, vmId: "vm", agentVersion: "1", extra: 1 }, "InvalidRequest", "extra"],
])("answers 400 to the body %j", async (body, code, target) => {
  expect(await call("register", body)).toMatchObject({ status: 400, code, target });
});

it("answers 503 when the keys cannot be had, so that the agent comes again (F52)", async () => {
  entra.failure = { status: 500, body: "{}" };
  const request = httpRequest({
    authorization: await entra.bearerOf(MACHINE_PRINCIPAL),
    body: { ...machine, vmId: "v", agentVersion: "1" },
  });
  const response = await agentCalls(entra.newVerifier()).register.handler(request, noClient, invocation());
  entra.failure = undefined;

  expect(answerOf(response)).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
});

it("records that a machine proved itself once for each boot, and that another could not (E14)", async () => {
  const agent = await register();
  await call("register", { ...machine, vmId: "vm", agentVersion: "1", session: agent.session, bootId: agent.bootId });
  await call("register", { ...machine, vmId: "vm", agentVersion: "1", session: "another" });
  const lines = (await world().auditRows.list("demo", { top: 10, operation: "Corral/signIn" })).values;

  expect(lines.map(({ actor, outcome, code }) => [actor.id, outcome, code])).toEqual(
    expect.arrayContaining([
      [`demo/${machine.machineId}`, "succeeded", undefined],
      [`demo/${machine.machineId}`, "refused", "SessionRefused"],
    ]),
  );
});
