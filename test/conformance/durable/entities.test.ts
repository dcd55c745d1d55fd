import { sharedApp, until } from "../../local/host/support";
import { API, client, ended, entity, post, run, start, stateWhen, waiting } from "./lab";

const app = sharedApp("durable-lab");

it("creates an entity with its first operation and reads its state (durable-functions 3.5.0, DurableClient.signalEntity)", async () => {
  const before = await client(app(), "readEntityState", entity("signalled"));
  const { value } = await client(app(), "signalEntity", entity("signalled"), "add", 5);
  const state = await stateWhen(app(), "signalled", (found) => found === 5);

  expect(before.value).toEqual({ entityExists: false });
  expect([value, state]).toEqual([null, 5]);
});

it("gives results of operations to an orchestration in their order (durable-functions 3.5.0, callEntity)", async () => {
  const operations = [["add", 10], ["add", 1], ["get"]];
  const { output } = await run(app(), "callCounter", { key: "called", operations });

  expect(output).toEqual([10, 11, 11]);
});

it("takes signals of one orchestration in their order, before its later call (docs: Durable entities, message ordering)", async () => {
  const { output } = await run(app(), "signalThenCall", { key: "ordered", amounts: [1, 2, 3, 4] });

  expect(output).toBe(10);
});

it("sends what an orchestration signalled even when it throws afterwards (Azure/azure-functions-durable-extension, out-of-process orchestrations)", async () => {
  const { runtimeStatus } = await run(app(), "signalThenThrow", "thrown");
  const state = await stateWhen(app(), "thrown", (found) => found === 11);

  expect([runtimeStatus, state]).toEqual(["Failed", 11]);
});

it("gives an operation's error to its caller and keeps the state (durable-functions 3.5.0, Entity.handle)", async () => {
  const operations = [["add", 1], ["fail"], ["get"]];
  const { output } = await run(app(), "callCounter", { key: "failing", operations });

  expect(output).toEqual([1, { failed: "[object Object]" }, 1]);
});

it("tells an entity its name, key and operation (durable-functions 3.5.0, DurableEntityContext)", async () => {
  const { output } = await run(app(), "callCounter", { key: "Known Key", operations: [["facts"], ["facts"]] });
  const facts = { name: "counter", key: "Known Key", operation: "facts" };

  expect(output).toEqual([
    { ...facts, isNew: true },
    { ...facts, isNew: false },
  ]);
});

it("lets an entity delete itself (durable-functions 3.5.0, destructOnExit)", async () => {
  await run(app(), "callCounter", { key: "deleted", operations: [["add", 1], ["forget"]] });
  const { value } = await client(app(), "readEntityState", entity("deleted"));
  const { output } = await run(app(), "callCounter", { key: "deleted", operations: [["get"]] });

  expect(value).toEqual({ entityExists: false });
  expect(output).toEqual([0]);
});

it("lets an entity signal another one (durable-functions 3.5.0, DurableEntityContext.signalEntity)", async () => {
  await client(app(), "signalEntity", entity("from"), "forward", { to: "target", amount: 4 });
  const state = await stateWhen(app(), "target", (found) => found === 4);

  expect(state).toBe(4);
});

it("lets an entity start an orchestration with a client of its own (durable-functions 3.5.0, app.entity with extraInputs)", async () => {
  const input = { name: "echoes", id: "by-entity", input: "started" };
  await client(app(), "signalEntity", entity("s", "Starter"), "start", input);
  await until(
    () => client(app(), "getStatus", "by-entity"),
    ({ value }) => value !== undefined,
  );
  const { output } = await ended(app(), "by-entity");

  expect(output).toBe("started");
});

it("keeps names of entities apart from case, and keys not (durable-functions 3.5.0, EntityId)", async () => {
  await client(app(), "signalEntity", entity("Case", "COUNTER"), "add", 1);
  await client(app(), "signalEntity", entity("case", "counter"), "add", 10);
  const states = [
    await stateWhen(app(), "Case", (found) => found === 1),
    await stateWhen(app(), "case", (found) => found === 10),
  ];

  expect(states).toEqual([1, 10]);
});

it("runs operations of one entity one after another (docs: Durable entities, single-threaded)", async () => {
  const labels = [1, 2, 3, 4, 5];
  for (const label of labels)
    await client(app(), "signalEntity", entity("s", "Slow"), "note", { label, waitMs: 30 - label * 5 });
  const { value } = await until(
    () => client(app(), "readEntityState", entity("s", "Slow")),
    (answer) => ((answer.value as { entityState?: unknown[] }).entityState ?? []).length === labels.length,
  );

  expect((value as { entityState: unknown }).entityState).toEqual(labels);
});

it("loses no update of many orchestrations that lock the same entities in any order (durable-functions 3.5.0, df.lock)", async () => {
  const keys = ["lock-a", "lock-b", "lock-c"];
  const orders = [keys, keys.toReversed(), ["lock-b", "lock-a", "lock-c"], ["lock-c", "lock-a"], ["lock-b"]];
  const runs = await Promise.all(
    Array.from({ length: 15 }, (_, n) =>
      run(app(), "lockedAdd", { keys: orders[n % orders.length], times: 2, waitMs: 1 }),
    ),
  );
  const { value } = await client(app(), "readEntityState", entity("lock-a"));

  expect(new Set(runs.map(({ runtimeStatus }) => runtimeStatus))).toEqual(new Set(["Completed"]));
  expect(runs[1]?.output).toEqual({ isLocked: true, owned: keys, free: "free" });
  expect(value).toEqual({ entityExists: true, entityState: 4 * 3 * 2 });
});

it("keeps others out while an entity is locked, and lets them in afterwards (docs: Durable entities, critical sections)", async () => {
  const holder = await start(app(), "lockAndStay", { input: { keys: ["kept"] } });
  await waiting(app(), holder);
  await client(app(), "signalEntity", entity("kept"), "add", 1);
  const other = await start(app(), "callCounter", { input: { key: "kept", operations: [["add", 1]] } });
  const during = await client(app(), "readEntityState", entity("kept"));
  await client(app(), "raiseEvent", holder, "Go", null);
  const { output } = await ended(app(), other);

  expect(during.value).toEqual({ entityExists: false });
  expect(output).toEqual([2]);
});

it.each([
  { how: "return", runtimeStatus: "Completed" },
  { how: "throw", runtimeStatus: "Failed" },
  { how: "continue", runtimeStatus: "Completed" },
])(
  "gives locks back when their holder ends with $how (docs: Durable entities, critical sections)",
  async ({ how, runtimeStatus }) => {
    const holder = await run(app(), "lockAndStay", { keys: [`ends-${how}`, "ends"], how });
    const { output } = await run(app(), "callCounter", { key: `ends-${how}`, operations: [["add", 1]] });

    expect(holder.runtimeStatus).toBe(runtimeStatus);
    expect(output).toEqual([1]);
  },
);

it("gives locks back when their holder is terminated, and passes over one that died in the queue (docs: Durable entities, critical sections)", async () => {
  const [first, second] = [
    await start(app(), "lockAndStay", { input: { keys: ["dead", "dead-2"] } }),
    "queued-for-a-lock",
  ];
  await waiting(app(), first);
  await start(app(), "lockAndStay", { instanceId: second, input: { keys: ["dead", "dead-2"] } });
  await client(app(), "terminate", second, "");
  await ended(app(), second);
  await client(app(), "terminate", first, "");
  const { output } = await run(app(), "callCounter", { key: "dead", operations: [["add", 1]] });

  expect(output).toEqual([1]);
});

it("holds to the SDK's rules of critical sections (durable-functions 3.5.0, LockingRulesViolationError)", async () => {
  const { output } = await run(app(), "rules");

  expect(output).toEqual(Array(4).fill("LockingRulesViolationError"));
});

it("mixes calls of entities with retries in one Task.all (durable-functions 3.5.0, callEntity beside callActivityWithRetry)", async () => {
  const { output } = await run(app(), "entityAndActivities");

  expect(output).toMatchObject({ b: 3, after: 5 });
});

it("fails the whole orchestration that calls an unknown entity (Azure/azure-functions-durable-extension, ThrowIfFunctionDoesNotExist)", async () => {
  const { runtimeStatus, output } = await run(app(), "unknownEntity");

  expect(runtimeStatus).toBe("Failed");
  expect(output).toContain("The function 'nowhere' doesn't exist, is disabled, or is not an entity function");
});

it("serves entities over HTTP: signal, get, delete (docs: HTTP API reference of Durable Functions, Signal entity and Get entity)", async () => {
  const signalled = await post(app(), "entities/counter/web?op=add", "7");
  const state = await stateWhen(app(), "web", (found) => found === 7);
  const got = await app().request("GET", `${API}/entities/Counter/web`);
  const deleted = await app().request("DELETE", `${API}/entities/counter/web`);
  const gone = await until(
    () => app().request("GET", `${API}/entities/counter/web`),
    ({ status }) => status === 404,
  );
  const unknown = await post(app(), "entities/nowhere/k?op=add", "1");

  expect([signalled.status, state, got.status, got.text, deleted.status]).toEqual([202, 7, 200, "7", 202]);
  expect([gone.status, unknown.status]).toEqual([404, 400]);
});

it("lists entities page by page, with states on request (docs: HTTP API reference of Durable Functions, List entities)", async () => {
  for (const key of ["list-1", "list-2", "list-3"]) await run(app(), "callCounter", { key, operations: [["add", 1]] });
  await client(app(), "signalEntity", entity("other", "Slow"), "note", { label: "x", waitMs: 0 });
  const found: { entityId: { name: string; key: string }; state?: unknown }[] = [];
  let token: string | undefined = "";
  while (token !== undefined) {
    const page = await app().request("GET", `${API}/entities/Counter?fetchState=true&top=2`, {
      headers: token === "" ? {} : { "x-ms-continuation-token": token },
    });
    found.push(...(JSON.parse(page.text) as typeof found));
    token = page.headers.get("x-ms-continuation-token") ?? undefined;
  }
  const all = JSON.parse(
    (await app().request("GET", `${API}/entities?lastOperationTimeFrom=2020-01-01`)).text,
  ) as typeof found;

  expect(found).toContainEqual(expect.objectContaining({ entityId: { name: "counter", key: "list-2" }, state: 1 }));
  expect(new Set(found.map(({ entityId }) => entityId.name))).toEqual(new Set(["counter"]));
  expect(all.some(({ entityId }) => entityId.name === "slow")).toBe(true);
  expect(all[0]).not.toHaveProperty("state");
});

it("purges an entity by its instance id (Azure/azure-functions-durable-extension, HttpApiHandler.HandleDeleteHistoryByIdRequestAsync)", async () => {
  await run(app(), "callCounter", { key: "purged", operations: [["add", 1]] });
  const purged = await client(app(), "purgeInstanceHistory", "@counter@purged");
  const { value } = await client(app(), "readEntityState", entity("purged"));

  expect(purged.value).toEqual({ instancesDeleted: 1 });
  expect(value).toEqual({ entityExists: false });
});
