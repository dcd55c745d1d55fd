import type { HttpHandler } from "@azure/functions";
import { createMachineCalls } from "../../../src/functions/machines";
import { createOrganizationCalls } from "../../../src/functions/organizations";
import { OrganizationIntake } from "../../../src/intake/register-organization";
import { FIRST_OWNER as OWNER, useAccess } from "../../support/access";
import { type EntraKeys, startEntraKeys } from "../../support/entra-keys";
import { type Answer, answerOf, httpRequest, invocation, noClient } from "../../support/function-calls";
import { ADMINISTRATOR, idleMachine, jobRow, sampleOrganization, sessionRow } from "../../support/sample-rows";
import { useWorld } from "../../support/world";

const world = useWorld();
const access = useAccess();
let entra: EntraKeys;
beforeAll(async () => {
  entra = await startEntraKeys();
});
afterAll(() => entra.close());

function calls() {
  const w = world();
  const { guard, audit } = access({ verifier: entra.verifier, organizations: w.organizations });
  const intake = new OrganizationIntake(w.organizations);
  return {
    ...createOrganizationCalls({ ...w, guard, audit, intake, estatePrefix: "corral", instances: () => w.instances }),
    machines: createMachineCalls({ ...w, guard }),
  };
}

async function send(
  handler: HttpHandler,
  fields: { as?: string; org?: string; machineId?: string; body?: unknown } = {},
): Promise<Answer> {
  const { as = OWNER, org = "demo", machineId = "m000000001" } = fields;
  const authorization = await entra.bearerOf(as);
  const request = httpRequest({
    authorization,
    params: { org, machineId },
    ...("body" in fields && { body: fields.body }),
  });
  return answerOf(await handler(request, invocation()));
}

const put = (body: object, as = OWNER, org = "demo") => send(calls().put.handler, { body, as, org });
const settings = { ...sampleOrganization(), administrators: [ADMINISTRATOR.toUpperCase()] };

it("registers an organization for the owner, and updates it", async () => {
  const first = await put(settings);
  const second = await put({ ...settings, bastion: true });

  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.body).toMatchObject({ org: "demo", state: "Registered", reasons: [], bastion: true });
});

it.each<[object, string, string, number, string, string | undefined]>([
  [settings, ADMINISTRATOR, "demo", 403, "Forbidden", undefined],
  [settings, OWNER, "demo2", 400, "InvalidRequest", "org"],
  [{ ...settings, locations: [] }, OWNER, "demo", 400, "InvalidRequest", "locations"],
  [{ ...settings, machineIdentity: { type: "system-assigned" } }, OWNER, "demo", 400, "ImageWithoutAgent", "image"],
])("refuses registration %#", async (...[body, as, org, status, code, target]) => {
  expect(await put(body, as, org)).toMatchObject({ status, code, target });
  expect(await world().organizations.list()).toEqual([]);
});

it("refuses a change of the subscription, and names it", async () => {
  await put(settings);

  expect(await put({ ...settings, subscriptionId: OWNER })).toMatchObject({
    status: 409,
    code: "OrganizationConflict",
    target: "subscriptionId",
  });
});

it("lists to each only what is his, however ids are spelled (I7)", async () => {
  await put(settings);
  await put({ ...settings, org: "demo2", administrators: [OWNER] }, OWNER, "demo2");
  const namesFor = async (as: string) => {
    const { body } = await send(calls().list.handler, { as });
    // Each entry is an organization's settings.
    return (body["value"] as { org: string }[]).map(({ org }) => org);
  };

  expect(await namesFor(OWNER)).toEqual(["demo", "demo2"]);
  expect(await namesFor(ADMINISTRATOR)).toEqual(["demo"]);
});

it("starts reading back an estate that was confirmed", async () => {
  await put(settings);
  const vaultUrl = "https://kv.vault.azure.net";
  const body = { dataBlobEndpoint: "https://a.blob.core.windows.net", vaultUrl };
  const request = httpRequest({ authorization: await entra.bearerOf(ADMINISTRATOR), params: { org: "demo" }, body });
  const answer = answerOf(await calls().confirm.handler(request, noClient, invocation()));

  expect(answer).toMatchObject({
    status: 202,
    headers: { "Operation-Location": "/api/orgs/demo", "Retry-After": "1" },
    body: { vaultUrl, estatePrefix: "corral" },
  });
  expect(world().instances.started).toMatchObject([{ orchestration: "confirmEstateRun", input: { org: "demo" } }]);
});

it("shows the ledger", async () => {
  await put(settings);
  await world().jobs.insert(jobRow());

  expect((await send(calls().ledger.handler, { as: ADMINISTRATOR })).body).toMatchObject({
    accepted: 1,
    live: 1,
    differences: [],
  });
});

it("shows machines with what their agents said last and what they cost", async () => {
  await put(settings);
  await world().machines.insert(
    idleMachine({ putSentAt: new Date(Date.now() - 3_600_000).toISOString(), pricePerHour: 2 }),
  );
  await world().sessions.insert(sessionRow({ gpuUtilizationPercent: 7 }));
  const shown = await send(calls().machines.show.handler, { as: ADMINISTRATOR });
  const listed = await send(calls().machines.list.handler, { as: ADMINISTRATOR });

  expect(shown.body).toMatchObject({
    machineId: "m000000001",
    state: "Idle",
    gpuUtilizationPercent: 7,
    pricePerHour: 2,
  });
  expect(shown.body["costUsd"]).toBeCloseTo(2, 1);
  expect(listed.body["value"]).toMatchObject([{ machineId: "m000000001" }]);
});

it.each(["m000000009", "live:m1", ""])("finds no machine %j", async (machineId) => {
  await put(settings);

  expect((await send(calls().machines.show.handler, { machineId })).status).toBe(404);
});
