import { join } from "node:path";
import type { AuditEntry } from "../../src/contract/audit";
import { resourcesOf, SUBSCRIPTION } from "../local/azure/azure-fixture";
import { call } from "../local/azure/wire";
import { corral } from "./corral";
import { secretEnvironment, type SignInFixture, startSignIn, stopSignIn } from "./sign-in-fixture";

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/corral-demo`;
const IDENTITIES = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
const CORRELATION = "c0000000-0000-4000-8000-000000000001";
let fixture: SignInFixture;
beforeAll(async () => {
  fixture = await startSignIn();
  await resourcesOf(fixture.azure).resourceGroups.createOrUpdate("corral-demo", { location: "westus3" });
  await put("audited", CORRELATION);
});
afterAll(() => stopSignIn(fixture));

const put = (name: string, correlationId?: string) =>
  call(fixture.azure, {
    method: "PUT",
    path: `${IDENTITIES}/${name}`,
    body: { location: "westus3" },
    headers: correlationId === undefined ? {} : { "x-ms-correlation-request-id": correlationId },
  });
const run = (...args: readonly string[]) =>
  corral(["audit", ...args, "--org", "demo", ...fixture.where, "--sign-in", "service-principal"], {
    env: { CORRAL_CONFIG_DIR: join(fixture.folder, "none"), ...secretEnvironment(fixture.azure.owner) },
  });

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  id: "a1",
  phase: "intent",
  at: new Date().toISOString(),
  operation: "Microsoft.ManagedIdentity/userAssignedIdentities/write",
  actor: { type: "service", id: "corral" },
  org: "demo",
  target: `${IDENTITIES}/audited`,
  correlationId: CORRELATION,
  ...more,
});
const script = (entries: readonly AuditEntry[]) =>
  fixture.deployment.script(({ path }) => ({
    body: path.startsWith("/api/orgs/demo/audit") ? { value: entries } : { org: "demo", subscriptionId: SUBSCRIPTION },
  }));

it("lists the audit with what was asked of it", async () => {
  script([entry({ phase: "outcome", outcome: "failed", code: "Conflict" })]);

  const end = await run(
    "list",
    "--from",
    "2030-01-01T00:00:00+01:00",
    "--to",
    "2031-01-01T00:00:00Z",
    "--outcome",
    "failed",
  );

  expect(end.stdout).toMatch(/outcome +Microsoft\.ManagedIdentity.* +service corral .* +failed Conflict\n/);
  expect(new URL(fixture.deployment.requests[0]?.path ?? "", "http://x").searchParams.toString()).toBe(
    "from=2029-12-31T23%3A00%3A00.000Z&to=2031-01-01T00%3A00%3A00.000Z&outcome=failed",
  );
});

it("holds the audit against Azure's own log: what is announced matches, what is young waits", async () => {
  script([entry(), entry({ phase: "outcome", outcome: "succeeded" })]);

  const end = await run("verify", "--json");

  // The group itself was made by hand, a moment ago.
  const { matched, findings, pending } = JSON.parse(end.stdout) as Record<string, unknown[]>;
  expect([end.code, end.stderr, findings]).toEqual([0, "", []]);
  expect(matched).toMatchObject([{ intentId: "a1", act: { resourceId: `${IDENTITIES}/audited` } }]);
  expect(pending).toMatchObject([{ operation: "Microsoft.Resources/subscriptions/resourceGroups/write" }]);
});

it("finds an act whose end nobody wrote down, and says so by its exit code", async () => {
  script([entry({ at: new Date(Date.now() - 21 * 60_000).toISOString() })]);

  const end = await run("verify");

  expect([end.code, end.stdout]).toEqual([1, expect.stringMatching(/no outcome .*userAssignedIdentities\/audited/)]);
});

it("verifies with the user's own right to read the log", async () => {
  const { azure } = fixture.azure;
  const stranger = azure.addServicePrincipal({ displayName: "stranger" });
  script([]);

  const end = await corral(["audit", "verify", "--org", "demo", ...fixture.where, "--sign-in", "service-principal"], {
    env: { CORRAL_CONFIG_DIR: join(fixture.folder, "none"), ...secretEnvironment(stranger) },
  });

  expect([end.code, end.stderr]).toEqual([1, expect.stringContaining("AuthorizationFailed")]);
});

it.each([
  ["--from", "yesterday"],
  ["--to", "2000-01-01T00:00:00Z"],
])("refuses %s %s", async (option, time) => {
  expect((await run("list", option, time)).code).toBe(2);
});
