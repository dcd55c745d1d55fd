import { sharedApp } from "../host/support";
import { ended, raise, reached, start, statusOf, viaClient } from "./orchestrations";

const app = sharedApp("flow");
const API = "/runtime/webhooks/durabletask";

it("answers a start over the public API, waiting for the end when asked to", async () => {
  const links = await app().request("POST", `${API}/orchestrators/fiveSteps/public-1`, { body: "1" });
  const result = await app().request("POST", `${API}/orchestrators/fiveSteps?timeout=10`, { body: "1" });

  expect(links.status).toBe(202);
  expect(JSON.parse(links.text)).toMatchObject({
    id: "public-1",
    statusQueryGetUri: expect.stringContaining("/instances/public-1") as string,
  });
  expect({ status: result.status, body: result.text }).toEqual({ status: 200, body: "6" });
});

it("answers 202 with links when the end does not come in time", async () => {
  const answer = await app().request("POST", `${API}/orchestrators/approval?timeout=0.05`, {
    body: '{"withinMs":600000}',
  });

  expect(answer.status).toBe(202);
});

it("refuses an unknown orchestration, an input that is no JSON and an id that no storage could hold", async () => {
  const unknown = await app().request("POST", `${API}/orchestrators/nothing`);
  const noJson = await app().request("POST", `${API}/orchestrators/fiveSteps`, { body: "{" });
  const badId = await app().request("POST", `${API}/orchestrators/fiveSteps/a%2Fb`);

  expect([unknown.status, noJson.status, badId.status]).toEqual([400, 400, 400]);
  expect(unknown.text).toContain("Known orchestration functions:");
});

it("refuses to start an instance that runs, and starts a finished one anew", async () => {
  await start(app(), "approval", { id: "same", input: { withinMs: 600_000 } });
  const refused = await viaClient(app(), "startNew", "fiveSteps", { instanceId: "same" });
  await raise(app(), { id: "same", name: "Approval", data: 1 });
  await ended(app(), "same");
  const again = await viaClient(app(), "startNew", "fiveSteps", { instanceId: "same", input: 1 });
  const { output } = await ended(app(), "same");

  expect(refused).toEqual({ error: expect.stringContaining("409") as string });
  expect(again).toEqual({ value: "same" });
  expect(output).toBe(6);
});

it("starts an id once when two starts come at the same moment", async () => {
  const body = '{"withinMs":600000}';
  const starts = [1, 2, 3].map(() => app().request("POST", `${API}/orchestrators/approval/race`, { body }));
  const statuses = (await Promise.all(starts)).map(({ status }) => status);

  expect(statuses.sort()).toEqual([202, 409, 409]);
});

it("serves the client's status, raise, suspend, resume and terminate", async () => {
  const id = await start(app(), "approval", { input: { withinMs: 600_000 } });
  await reached(app(), id, { EventType: "TimerCreated" });
  const suspended = await viaClient(app(), "suspend", id, "why not");
  const status = await viaClient(app(), "getStatus", id);
  const resumed = await viaClient(app(), "resume", id, "go on");
  const terminated = await viaClient(app(), "terminate", id, "enough");
  const { runtimeStatus } = await ended(app(), id);
  const tooLate = await viaClient(app(), "raiseEvent", id, "Approval", {});

  expect(status).toMatchObject({
    value: { instanceId: id, name: "approval", runtimeStatus: "Suspended", input: { withinMs: 600_000 } },
  });
  expect([suspended, resumed, terminated, tooLate]).toEqual(Array(4).fill({ value: null }));
  expect(runtimeStatus).toBe("Terminated");
});

it("knows no instance that was never started", async () => {
  const answers = [
    await viaClient(app(), "getStatus", "ghost"),
    await viaClient(app(), "raiseEvent", "ghost", "Approval", 1),
    await viaClient(app(), "terminate", "ghost", "x"),
  ];

  expect(answers).toEqual([
    { error: expect.stringContaining("404") as string },
    { error: "No instance with ID 'ghost' found." },
    { error: "No instance with ID 'ghost' found." },
  ]);
});

it("takes events as JSON only", async () => {
  await start(app(), "approval", { id: "typed", input: { withinMs: 600_000 } });
  const plain = await app().request("POST", `${API}/instances/typed/raiseEvent/Approval`, {
    body: "1",
    headers: { "content-type": "text/plain" },
  });

  expect(plain.status).toBe(400);
});

it("purges what has ended, and never what runs", async () => {
  await ended(app(), await start(app(), "fiveSteps", { id: "old" }));
  await start(app(), "approval", { id: "young", input: { withinMs: 600_000 } });
  const old = await viaClient(app(), "purgeInstanceHistory", "old");
  const young = await viaClient(app(), "purgeInstanceHistory", "young");
  const gone = await viaClient(app(), "getStatus", "old");

  expect(old).toEqual({ value: { instancesDeleted: 1 } });
  expect(young).toEqual({ error: expect.stringContaining("412") as string });
  expect(gone).toEqual({ error: expect.stringContaining("404") as string });
});

it("lists by state and by time of creation, page by page", async () => {
  const createdTimeFrom = new Date().toISOString();
  for (const id of ["page-1", "page-2", "page-3"]) await ended(app(), await start(app(), "fiveSteps", { id }));
  const listed = (await viaClient(app(), "getStatusBy", { createdTimeFrom, runtimeStatus: ["Completed"] })) as {
    value: { instanceId: string }[];
  };
  const page = await app().request("GET", `${API}/instances?instanceIdPrefix=page-&top=2`);
  const token = page.headers.get("x-ms-continuation-token") ?? "";
  const rest = await app().request("GET", `${API}/instances?instanceIdPrefix=page-&top=2`, {
    headers: { "x-ms-continuation-token": token },
  });

  expect(listed.value.map(({ instanceId }) => instanceId)).toEqual(["page-1", "page-2", "page-3"]);
  expect(JSON.parse(page.text)).toHaveLength(2);
  expect(JSON.parse(rest.text)).toHaveLength(1);
  expect(rest.headers.get("x-ms-continuation-token")).toBeNull();
});

it("shows the history by name, with outputs on request only", async () => {
  await ended(app(), await start(app(), "fiveSteps", { id: "shown", input: 1 }));
  const bare = await statusOf(app(), "shown", "?showHistory=true");
  const full = await statusOf(app(), "shown", "?showHistory=true&showHistoryOutput=true&showInput=false");

  expect(bare.historyEvents?.slice(0, 3).map(({ EventType }) => EventType)).toEqual([
    "OrchestratorStarted",
    "ExecutionStarted",
    "TaskScheduled",
  ]);
  expect(bare.historyEvents?.find(({ EventType }) => EventType === "TaskCompleted")).not.toHaveProperty("Result");
  expect(full.historyEvents?.find(({ EventType }) => EventType === "TaskCompleted")).toMatchObject({ Result: 2 });
  expect(full.input).toBeNull();
});

it("restarts an instance with its input, under a new id", async () => {
  await ended(app(), await start(app(), "fiveSteps", { id: "first-run", input: 20 }));
  const answer = await app().request("POST", `${API}/instances/first-run/restart`);
  const { id } = JSON.parse(answer.text) as { id: string };
  const { output } = await ended(app(), id);

  expect(id).not.toBe("first-run");
  expect(output).toBe(25);
});
