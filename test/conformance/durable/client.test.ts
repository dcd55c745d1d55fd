import { sharedApp } from "../../local/host/support";
import { client, ended, reached, run, start, statusOf, waiting } from "./lab";

const app = sharedApp("durable-lab");

it("starts an orchestration under an id of its own or the one that is given (durable-functions 3.5.0, DurableClient.startNew)", async () => {
  const drawn = await client(app(), "startNew", "echoes", { input: { a: [1] } });
  const given = await client(app(), "startNew", "ECHOES", { instanceId: "given-id", input: "text" });
  const outputs = [await ended(app(), String(drawn.value)), await ended(app(), "given-id")];

  expect(drawn.value).toMatch(/^[0-9a-f]{32}$/);
  expect(given.value).toBe("given-id");
  expect(outputs.map(({ output }) => output)).toEqual([{ a: [1] }, "text"]);
});

it("gives an empty text to an orchestration that is started without an input, as its client sends it (durable-functions 3.5.0, DurableClient.startNew)", async () => {
  const { input, output } = await run(app(), "echoes");

  expect([input, output]).toEqual(["", ""]);
});

it("gives a version to a start and to a sub-orchestration (durable-functions 3.5.0, StartNewOptions.version)", async () => {
  const options = { version: "2.1", instanceId: "versioned", input: { child: true, childVersion: "3.0" } };
  await client(app(), "startNew", "version", options);
  const { output } = await ended(app(), "versioned");

  expect(output).toEqual({ own: "2.1", child: "3.0" });
});

it("rejects a start of an unknown orchestration with 400 and the known names (durable-functions 3.5.0, DurableClient.startNew)", async () => {
  const { error } = await client(app(), "startNew", "nowhere");

  expect(error).toContain("unexpected status code: 400");
  expect(error).toContain("doesn't exist, is disabled, or is not an orchestration function");
});

it("gives a status with input, output and dates (durable-functions 3.5.0, DurableClient.getStatus)", async () => {
  await client(app(), "startNew", "echoes", { instanceId: "status", input: [1] });
  await ended(app(), "status");
  const { value } = await client(app(), "getStatus", "status", { showInput: true });

  expect(value).toMatchObject({
    name: "echoes",
    instanceId: "status",
    runtimeStatus: "Completed",
    input: [1],
    output: [1],
    customStatus: null,
    createdTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
  });
});

it("throws for the status of an instance that never was (durable-functions 3.5.0, DurableClient.getStatus)", async () => {
  const { error } = await client(app(), "getStatus", "never-was");

  expect(error).toContain("replied with HTTP 404 response");
});

it("writes times in whole seconds (Azure/azure-functions-durable-extension, HttpApiHandler.ConvertFrom)", async () => {
  const { createdTime } = await run(app(), "echoes");

  expect(createdTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

it("lists all instances over several pages (durable-functions 3.5.0, DurableClient.getStatusAll)", async () => {
  const ids = await Promise.all(
    Array.from({ length: 12 }, (_, n) => start(app(), "echoes", { instanceId: `all-${n}` })),
  );
  await Promise.all(ids.map((id) => ended(app(), id)));
  const { value } = await client(app(), "getStatusAll");
  const listed = (value as { instanceId: string }[]).map(({ instanceId }) => instanceId);

  expect(listed).toEqual(expect.arrayContaining(ids));
});

it("filters by time of creation and by status (durable-functions 3.5.0, DurableClient.getStatusBy)", async () => {
  const createdTimeFrom = new Date().toISOString();
  await run(app(), "echoes");
  await start(app(), "waitFor", { instanceId: "by-running" });
  await waiting(app(), "by-running");
  const running = await client(app(), "getStatusBy", { createdTimeFrom, runtimeStatus: ["Running"] });
  const none = await client(app(), "getStatusBy", {
    createdTimeFrom,
    createdTimeTo: createdTimeFrom,
    runtimeStatus: ["Failed"],
  });

  expect((running.value as { instanceId: string }[]).map(({ instanceId }) => instanceId)).toEqual(["by-running"]);
  expect(none.value).toEqual([]);
});

it("raises an event with its data (durable-functions 3.5.0, DurableClient.raiseEvent)", async () => {
  await start(app(), "waitFor", { instanceId: "raised", input: "Approval" });
  const { value } = await client(app(), "raiseEvent", "raised", "Approval", { by: "me", list: [1, null] });
  const { output } = await ended(app(), "raised");

  expect(value).toBeNull();
  expect(output).toEqual({ data: { by: "me", list: [1, null] } });
});

it("takes the names of events as they are written (durable-functions 3.5.0, waitForExternalEvent)", async () => {
  await start(app(), "waitFor", { instanceId: "case", input: "Approval" });
  await client(app(), "raiseEvent", "case", "approval", "lower");
  await client(app(), "raiseEvent", "case", "Approval", "upper");
  const { output } = await ended(app(), "case");

  expect(output).toEqual({ data: "upper" });
});

it("rejects an event for an instance that never was, and takes one for an ended one silently (durable-functions 3.5.0, DurableClient.raiseEvent)", async () => {
  const { instanceId } = await run(app(), "echoes");
  const unknown = await client(app(), "raiseEvent", "never-was", "Go", 1);
  const late = await client(app(), "raiseEvent", instanceId, "Go", 1);

  expect(unknown.error).toBe("No instance with ID 'never-was' found.");
  expect(late).toEqual({ value: null });
});

it("terminates with the reason as the output (durable-functions 3.5.0, DurableClient.terminate)", async () => {
  await start(app(), "waitFor", { instanceId: "terminated" });
  const { value } = await client(app(), "terminate", "terminated", "enough of it");
  const { runtimeStatus, output } = await ended(app(), "terminated");
  const again = await client(app(), "terminate", "terminated", "twice");

  expect([value, again.value]).toEqual([null, null]);
  expect([runtimeStatus, output]).toEqual(["Terminated", "enough of it"]);
});

it("suspends and resumes, and keeps events meanwhile (durable-functions 3.5.0, DurableClient.suspend and resume)", async () => {
  await start(app(), "waitFor", { instanceId: "paused" });
  await waiting(app(), "paused");
  await client(app(), "suspend", "paused", "later");
  await client(app(), "raiseEvent", "paused", "Go", 7);
  const { runtimeStatus } = await statusOf(app(), "paused");
  await client(app(), "resume", "paused", "now");
  const { output } = await ended(app(), "paused");

  expect(runtimeStatus).toBe("Suspended");
  expect(output).toEqual({ data: 7 });
});

it.each(["terminate", "suspend", "resume"])(
  "rejects %s of an instance that never was (durable-functions 3.5.0, DurableClient)",
  async (method) => {
    const { error } = await client(app(), method, "never-was", "why");

    expect(error).toBe("No instance with ID 'never-was' found.");
  },
);

it("purges one instance and says how many (durable-functions 3.5.0, DurableClient.purgeInstanceHistory)", async () => {
  const { instanceId } = await run(app(), "echoes");
  const purged = await client(app(), "purgeInstanceHistory", instanceId);
  const again = await client(app(), "purgeInstanceHistory", instanceId);

  expect([purged.value, again.value]).toEqual([{ instancesDeleted: 1 }, { instancesDeleted: 0 }]);
});

it("purges by time and status, and never what runs (durable-functions 3.5.0, DurableClient.purgeInstanceHistoryBy)", async () => {
  const createdTimeFrom = new Date().toISOString();
  const { instanceId: done } = await run(app(), "echoes");
  const { instanceId: failed } = await run(app(), "failing", { key: "to purge", times: 1 });
  const running = await start(app(), "waitFor");
  const purged = await client(app(), "purgeInstanceHistoryBy", { createdTimeFrom, runtimeStatus: ["Completed"] });
  const statuses = await Promise.all([done, failed, running].map((id) => client(app(), "getStatus", id)));

  expect(purged.value).toEqual({ instancesDeleted: 1 });
  expect(statuses.map(({ error }) => error !== undefined)).toEqual([true, false, false]);
});

it("answers the output when the end comes in time (durable-functions 3.5.0, waitForCompletionOrCreateCheckStatusResponse)", async () => {
  const id = await start(app(), "echoes", { input: { done: true } });
  const body = JSON.stringify({ timeoutInMilliseconds: 10_000, retryIntervalInMilliseconds: 20 });
  const { status, text } = await app().request("POST", `/api/wait/${id}`, { body });

  expect([status, JSON.parse(text)]).toEqual([200, { done: true }]);
});

it("answers 500 with the status when it failed, and the links when it takes too long (durable-functions 3.5.0, waitForCompletionOrCreateCheckStatusResponse)", async () => {
  const { instanceId } = await run(app(), "failing", { key: "waited for", times: 1 });
  const slow = await start(app(), "waitFor");
  const body = JSON.stringify({ timeoutInMilliseconds: 30, retryIntervalInMilliseconds: 10 });
  const failed = await app().request("POST", `/api/wait/${instanceId}`, { body });
  const late = await app().request("POST", `/api/wait/${slow}`, { body });

  expect([failed.status, late.status]).toEqual([500, 202]);
  expect(JSON.parse(failed.text)).toMatchObject({ runtimeStatus: "Failed" });
  expect(late.headers.get("retry-after")).toBe("10");
});

it("gives the history by name to those who ask for it (docs: HTTP API reference of Durable Functions, Get instance status)", async () => {
  const id = await start(app(), "echoes", { input: "shown" });
  await ended(app(), id);
  const bare = await statusOf(app(), id, "?showHistory=true");
  const full = await statusOf(app(), id, "?showHistory=true&showHistoryOutput=true");

  expect(bare.historyEvents?.at(-1)?.EventType).toBe("OrchestratorCompleted");
  expect(bare.historyEvents?.find(({ EventType }) => EventType === "TaskCompleted")).not.toHaveProperty("Result");
  expect(full.historyEvents?.find(({ EventType }) => EventType === "TaskCompleted")).toMatchObject({ Result: "shown" });
});

it("carries five megabytes through an activity and an event (durable-functions 3.5.0, payloads)", async () => {
  const text = "x".repeat(5_000_000);
  const echoed = await run(app(), "echoes", { text });
  await start(app(), "waitFor", { instanceId: "large" });
  await client(app(), "raiseEvent", "large", "Go", { text });
  const { output } = await ended(app(), "large");

  expect((echoed.output as { text: string }).text).toHaveLength(5_000_000);
  expect((output as { data: { text: string } }).data.text).toHaveLength(5_000_000);
});

it("keeps events that nobody awaited yet over continueAsNew (docs: Eternal orchestrations in Durable Functions)", async () => {
  await start(app(), "collect", { instanceId: "eternal", input: { got: [], wanted: 6 } });
  for (let n = 0; n < 6; n += 1) await client(app(), "raiseEvent", "eternal", "Item", n);
  const { output } = await ended(app(), "eternal");

  expect(output).toEqual([0, 1, 2, 3, 4, 5]);
});

it("shows a custom status while it runs (docs: Custom orchestration status in Durable Functions)", async () => {
  await start(app(), "waitFor", { instanceId: "custom", input: "X" });
  await reached(app(), "custom", "OrchestratorCompleted");
  const { customStatus, runtimeStatus } = await statusOf(app(), "custom");

  expect({ customStatus, runtimeStatus }).toEqual({ customStatus: { waiting: "X" }, runtimeStatus: "Running" });
});
