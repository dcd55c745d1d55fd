// Orchestrations of every kind that the durable backend has to carry, in plain JavaScript.
const { app } = require("@azure/functions");
const df = require("durable-functions");

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

df.app.activity("addOne", { handler: (n) => n + 1 });
df.app.activity("addOneLater", {
  handler: async ({ n, waitMs }) => {
    await wait(waitMs);
    return n + 1;
  },
});
df.app.activity("echo", { handler: (value) => value });
df.app.activity("fail", {
  handler: (message) => {
    throw new Error(message);
  },
});

const attempts = new Map();
df.app.activity("flaky", {
  handler: ({ key, failUntil }) => {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt < failUntil) throw new Error(`attempt ${attempt}`);
    return attempt;
  },
});

// An activity may have a client of its own.
const clientInput = df.input.durableClient();
df.app.activity("raiseBack", {
  extraInputs: [clientInput],
  handler: async ({ id, name, data }, context) => {
    await df.getClient(context).raiseEvent(id, name, data);
    return "raised";
  },
});

df.app.orchestration("fiveSteps", function* (context) {
  let n = context.df.getInput() ?? 0;
  for (let step = 0; step < 5; step += 1) n = yield context.df.callActivity("addOne", n);
  return n;
});

df.app.orchestration("fiveSlowSteps", function* (context) {
  const { waitMs } = context.df.getInput();
  let { n } = context.df.getInput();
  for (let step = 0; step < 5; step += 1) n = yield context.df.callActivity("addOneLater", { n, waitMs });
  return n;
});

df.app.orchestration("echoes", function* (context) {
  const outputs = [];
  for (const value of context.df.getInput()) outputs.push(yield context.df.callActivity("echo", value));
  return outputs;
});

df.app.orchestration("fanOut", function* (context) {
  const tasks = Array.from({ length: context.df.getInput() }, (_, n) => context.df.callActivity("addOne", n));
  const results = yield context.df.Task.all(tasks);
  return results.reduce((sum, n) => sum + n, 0);
});

df.app.orchestration("timers", function* (context) {
  const start = context.df.currentUtcDateTime.getTime();
  const guids = [context.df.newGuid("x")];
  yield context.df.createTimer(new Date(start + context.df.getInput()));
  guids.push(context.df.newGuid("x"));
  yield context.df.callActivity("addOne", 1);
  return { waitedMs: context.df.currentUtcDateTime.getTime() - start, guids: new Set(guids).size };
});

df.app.orchestration("approval", function* (context) {
  const deadline = context.df.createTimer(
    new Date(context.df.currentUtcDateTime.getTime() + context.df.getInput().withinMs),
  );
  const approval = context.df.waitForExternalEvent("Approval");
  const winner = yield context.df.Task.any([approval, deadline]);
  if (winner === deadline) return "too late";
  deadline.cancel();
  const after = yield context.df.callActivity("echo", "after");
  return { approved: approval.result, after };
});

df.app.orchestration("afterTimer", function* (context) {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + context.df.getInput()));
  const first = yield context.df.waitForExternalEvent("E");
  const second = yield context.df.waitForExternalEvent("E");
  return [first, second];
});

df.app.orchestration("collect", function* (context) {
  const { items, wanted } = context.df.getInput();
  const item = yield context.df.waitForExternalEvent("Item");
  items.push(item);
  if (items.length === wanted) return items;
  context.df.continueAsNew({ items, wanted });
  return undefined;
});

df.app.orchestration("parent", function* (context) {
  const { fails, childId } = context.df.getInput();
  context.df.setCustomStatus({ stage: "child" });
  try {
    return { child: yield context.df.callSubOrchestrator("child", { fails }, childId) };
  } catch (error) {
    return { caught: error.message };
  }
});

df.app.orchestration("child", function* (context) {
  if (context.df.getInput().fails) yield context.df.callActivity("fail", "the child's activity");
  const sum = yield context.df.callActivity("addOne", 41);
  return { sum, parent: context.df.parentInstanceId };
});

df.app.orchestration("failing", function* (context) {
  yield context.df.callActivity("fail", context.df.getInput());
});

df.app.orchestration("throwing", function* () {
  throw new Error("at once");
});

df.app.orchestration("retrying", function* (context) {
  const { key, failUntil, maxAttempts } = context.df.getInput();
  const retry = new df.RetryOptions(20, maxAttempts);
  retry.backoffCoefficient = 2;
  const [attempt, other] = yield context.df.Task.all([
    context.df.callActivityWithRetry("flaky", retry, { key, failUntil }),
    context.df.callActivity("echo", "beside"),
  ]);
  const after = yield context.df.callActivity("echo", "after");
  return { attempt, other, after };
});

df.app.orchestration("flakyChild", function* (context) {
  return yield context.df.callActivity("flaky", context.df.getInput());
});

df.app.orchestration("retryingChild", function* (context) {
  const retry = new df.RetryOptions(20, 3);
  const attempt = yield context.df.callSubOrchestratorWithRetry("flakyChild", retry, context.df.getInput());
  return { attempt, after: yield context.df.callActivity("echo", "after") };
});

df.app.orchestration("relisting", function* (context) {
  let pending = [1, 2, 3].map((n) => context.df.callActivity("addOne", n));
  while (pending.length > 0) {
    const winner = yield context.df.Task.any(pending);
    pending = pending.filter((task) => task !== winner);
  }
});

df.app.orchestration("unknownActivity", function* (context) {
  try {
    yield context.df.callActivity("nowhere", 1);
  } catch {
    return "caught";
  }
});

df.app.orchestration("entityCaller", function* (context) {
  yield context.df.callEntity(new df.EntityId("counter", "c"), "add", 1);
});

df.app.orchestration("raisesToItself", function* (context) {
  yield context.df.callActivity("raiseBack", { id: context.df.instanceId, name: "Back", data: { n: 7 } });
  return yield context.df.waitForExternalEvent("Back");
});

// Which activity comes first depends on the process: what a deployment in the middle of an orchestration does.
df.app.orchestration("changing", function* (context) {
  yield context.df.callActivity(process.env.FLOW_FIRST ?? "addOne", 1);
  yield context.df.waitForExternalEvent("Go");
  return yield context.df.callActivity("echo", "done");
});

df.app.orchestration("invalidTimer", function* (context) {
  yield context.df.createTimer(new Date(Number.NaN));
});

df.app.orchestration("cycle", function* () {
  const self = {};
  self.self = self;
  return self;
});

// Everything at once, three rounds: children, an activity that raises an event, a timer, continueAsNew.
df.app.orchestration("rounds", function* (context) {
  const { round, sum } = context.df.getInput();
  if (round === 3) return sum;
  const children = [1, 2].map((n) => context.df.callSubOrchestrator("fiveSlowSteps", { n, waitMs: 5 }));
  const [a, b] = yield context.df.Task.all(children);
  const id = context.df.instanceId;
  yield context.df.callActivity("raiseBack", { id, name: `Round${round}`, data: { n: round } });
  const { n } = yield context.df.waitForExternalEvent(`Round${round}`);
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 10));
  context.df.continueAsNew({ round: round + 1, sum: sum + a + b + n });
});

// The slow activity of the first execution answers while the second one waits for a task of the same number.
df.app.orchestration("outrun", function* (context) {
  const { round } = context.df.getInput();
  const slow = context.df.callActivity("addOneLater", { n: round * 10, waitMs: round === 0 ? 60 : 200 });
  if (round === 1) return yield slow;
  const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 5));
  yield context.df.Task.any([slow, timer]);
  context.df.continueAsNew({ round: 1 });
});

// Eternal, with a history that starts from nothing each time.
df.app.orchestration("tidying", function* (context) {
  const { left, log } = context.df.getInput();
  if (left === 0) return log;
  const n = yield context.df.callActivity("addOne", left);
  context.df.continueAsNew({ left: left - 1, log: [...log, n] });
});

df.app.client.http("start", {
  route: "start/{name}/{id?}",
  methods: ["POST"],
  handler: async (request, client) => {
    const text = await request.text();
    const options = {
      input: text === "" ? undefined : JSON.parse(text),
      ...(request.params.id && { instanceId: request.params.id }),
    };
    const id = await client.startNew(request.params.name, options);
    return client.createCheckStatusResponse(request, id);
  },
});

// The SDK's client, method by method: the answer is what it gave, or the error's text.
df.app.client.http("client", {
  route: "client/{method}",
  methods: ["POST"],
  handler: async (request, client) => {
    try {
      const args = JSON.parse(await request.text(), (key, value) =>
        /^createdTime/.test(key) ? new Date(value) : value,
      );
      return { jsonBody: { value: (await client[request.params.method](...args)) ?? null } };
    } catch (error) {
      return { jsonBody: { error: error.message } };
    }
  },
});

app.http("hello", {
  route: "hello/{name?}",
  methods: ["GET", "POST"],
  handler: (request) => ({ jsonBody: { hello: request.params.name ?? "nobody", query: request.query.get("q") } }),
});
