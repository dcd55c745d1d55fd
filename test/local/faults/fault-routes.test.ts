import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { createFaultRoutes } from "../../../local/faults/fault-routes";

let plan: FaultPlan;
let server: Server;
let url: string;

beforeEach(async () => {
  plan = new FaultPlan();
  server = createServer(createFaultRoutes(plan));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  plan.disarmAll();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const post = (body: unknown): Promise<Response> =>
  fetch(`${url}/rules`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
const fault = { service: "arm", stage: "before", action: { kind: "hold" } };
const armed = async (body: unknown): Promise<string> => ((await (await post(body)).json()) as { id: string }).id;
const target = async (reply: Response): Promise<unknown> =>
  ((await reply.json()) as { error: { target?: string } }).error.target;
const subject = { service: "arm", operation: "PUT Microsoft.Compute/virtualMachines", subject: "/x" };

it("arms a rule that bites once, and at once, when it does not say otherwise", async () => {
  const reply = await post(fault);

  expect(reply.status).toBe(201);
  expect(plan.list()).toMatchObject([{ rule: { service: "arm", skip: 0, times: 1 }, hits: 0 }]);
});

it.each([
  { body: { ...fault, servce: "arm" }, field: "servce" },
  { body: { stage: "before", action: { kind: "drop" } }, field: "service" },
  { body: { ...fault, stage: "during" }, field: "stage" },
  { body: { ...fault, times: "2" }, field: "times" },
  { body: { ...fault, operation: "(" }, field: "operation" },
  { body: { ...fault, action: { kind: "delay" } }, field: "action.milliseconds" },
  { body: { ...fault, action: { kind: "hold", seconds: 1 } }, field: "action.seconds" },
  { body: { ...fault, action: { kind: "fail", status: 200, code: "x", message: "" } }, field: "action.status" },
])("refuses a rule and names the field $field", async ({ body, field }) => {
  const reply = await post(body);

  expect([reply.status, await target(reply)]).toEqual([400, field]);
});

it("refuses what is no JSON, and goes on", async () => {
  const reply = await post("{");

  expect([reply.status, (await post(fault)).status]).toEqual([400, 201]);
});

it("answers a wait for hits when the call arrives, and releases it when the rule goes", async () => {
  const id = await armed(fault);
  const waiting = fetch(`${url}/rules/${id}/hits?atLeast=1&timeoutSeconds=20`);
  const held = plan.at("before", subject);

  const hits = (await (await waiting).json()) as { hits: number; holding: number };
  const removed = await fetch(`${url}/rules/${id}`, { method: "DELETE" });

  expect(hits).toMatchObject({ hits: 1, holding: 1 });
  expect(removed.status).toBe(204);
  expect(await held).toBeUndefined();
});

it("gives up waiting for hits after the given time", async () => {
  const id = await armed(fault);

  const reply = await fetch(`${url}/rules/${id}/hits?timeoutSeconds=0.05`);

  expect(reply.status).toBe(408);
});

it("shows and removes all rules, and knows no others", async () => {
  const id = await armed({ ...fault, skip: 2 });

  const shown = (await (await fetch(`${url}/rules`)).json()) as { value: { id: string }[] };
  const one = await fetch(`${url}/rules/${id}`);
  const cleared = await fetch(`${url}/rules`, { method: "DELETE" });
  const gone = await fetch(`${url}/rules/${id}`, { method: "DELETE" });

  expect(shown.value.map((rule) => rule.id)).toEqual([id]);
  expect([one.status, cleared.status, gone.status]).toEqual([200, 204, 404]);
});
