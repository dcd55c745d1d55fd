const df = require("durable-functions");

const later = (context, milliseconds) => new Date(context.df.currentUtcDateTime.getTime() + milliseconds);

df.app.activity("echo", { handler: (value) => value });
df.app.activity("wait", { handler: (waitMs) => new Promise((resolve) => setTimeout(resolve, waitMs)) });

// Fails as often as told, then gives the number of the attempt. What it counts does not survive the process.
const attempts = new Map();
df.app.activity("failTimes", {
  handler: ({ key, times }) => {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt <= times) throw new Error(`${key} failed, attempt ${attempt}`);
    return attempt;
  },
});
df.app.activity("attemptsOf", { handler: (key) => attempts.get(key) ?? 0 });

df.app.orchestration("echoes", function* (context) {
  return yield context.df.callActivity("echo", context.df.getInput() ?? null);
});

df.app.orchestration("version", function* (context) {
  const own = context.df.version;
  const { child, childVersion } = context.df.getInput() || {};
  if (!child) return own;
  return { own, child: yield context.df.callSubOrchestrator("version", {}, undefined, childVersion) };
});

df.app.orchestration("waitFor", function* (context) {
  // The SDK's client sends an empty text when it is given no input.
  const name = context.df.getInput() || "Go";
  context.df.setCustomStatus({ waiting: name });
  const data = yield context.df.waitForExternalEvent(name);
  return { data };
});

df.app.orchestration("failing", function* (context) {
  yield context.df.callActivity("echo", "before");
  return yield context.df.callActivity("failTimes", context.df.getInput());
});

df.app.orchestration("parentOfFailing", function* (context) {
  const { key, times, childId } = context.df.getInput();
  const first = yield context.df.callActivity("failTimes", { key: `${key} parent`, times: 0 });
  const child = yield context.df.callSubOrchestrator("failing", { key, times }, childId);
  return { first, child };
});

df.app.orchestration("fanOutFailing", function* (context) {
  const { key } = context.df.getInput();
  return yield context.df.Task.all([
    context.df.callActivity("failTimes", { key: `${key} good`, times: 0 }),
    context.df.callActivity("failTimes", { key: `${key} bad`, times: 1 }),
    context.df.callActivity("wait", 30),
  ]);
});

df.app.orchestration("retried", function* (context) {
  const { key, times, max, first, coefficient, longest } = context.df.getInput();
  const retry = new df.RetryOptions(first, max);
  if (coefficient !== undefined) retry.backoffCoefficient = coefficient;
  if (longest !== undefined) retry.maxRetryIntervalInMilliseconds = longest;
  return yield context.df.callActivityWithRetry("failTimes", retry, { key, times });
});

df.app.orchestration("longTimer", function* (context) {
  const start = context.df.currentUtcDateTime.getTime();
  yield context.df.createTimer(later(context, context.df.getInput()));
  const waitedMs = context.df.currentUtcDateTime.getTime() - start;
  return { waitedMs, after: yield context.df.callActivity("echo", "after") };
});

df.app.orchestration("longTimerBeside", function* (context) {
  const timer = context.df.createTimer(later(context, 400));
  const event = context.df.waitForExternalEvent("Go");
  const work = context.df.callActivity("echo", "work");
  const winner = yield context.df.Task.any([timer, event]);
  if (winner === event) timer.cancel();
  return { by: winner === event ? "event" : "timer", work: yield work };
});

df.app.orchestration("critical", function* (context) {
  yield context.df.lock(new df.EntityId("Counter", "critical"));
  yield context.df.callActivity("failTimes", { key: "critical", times: 1 });
});

df.app.orchestration("http", function* (context) {
  const { request, times = 1 } = context.df.getInput();
  const answers = [];
  for (let time = 0; time < times; time += 1) {
    const { tokenResource, ...options } = request;
    const tokenSource = tokenResource && { tokenSource: new df.ManagedIdentityTokenSource(tokenResource) };
    const { statusCode, content, headers } = yield context.df.callHttp({ ...options, ...tokenSource });
    answers.push({ statusCode, content, type: headers["Content-Type"] });
  }
  return { answers, after: yield context.df.callActivity("echo", "after") };
});

df.app.orchestration("httpCaught", function* (context) {
  try {
    yield context.df.callHttp({ method: "GET", url: context.df.getInput() });
    return "answered";
  } catch (error) {
    return { caught: error.message };
  }
});

df.app.orchestration("httpBeside", function* (context) {
  const [http, echoed, attempt] = yield context.df.Task.all([
    context.df.callHttp({ method: "POST", url: context.df.getInput(), body: { a: 1 } }),
    context.df.callActivity("echo", "beside"),
    context.df.callActivityWithRetry("failTimes", new df.RetryOptions(5, 3), { key: "http beside", times: 1 }),
  ]);
  return { status: http.statusCode, echoed, attempt, after: yield context.df.callActivity("echo", "after") };
});

df.app.orchestration("relisted", function* (context) {
  let pending = [1, 2, 3].map((n) => context.df.callActivity("echo", n));
  while (pending.length > 0) {
    const winner = yield context.df.Task.any(pending);
    pending = pending.filter((task) => task !== winner);
  }
});

df.app.orchestration("promise", function* () {
  yield Promise.resolve(1);
});

df.app.orchestration("unknownActivity", function* (context) {
  try {
    yield context.df.callActivity("nowhere", 1);
  } catch {
    return "caught";
  }
});

df.app.orchestration("unknownChild", function* (context) {
  try {
    yield context.df.callSubOrchestrator("nowhere", 1);
  } catch {
    return "caught";
  }
});

df.app.orchestration("collect", function* (context) {
  const { got, wanted } = context.df.getInput();
  const item = yield context.df.waitForExternalEvent("Item");
  if (got.length + 1 === wanted) return [...got, item];
  context.df.continueAsNew({ got: [...got, item], wanted });
  return undefined;
});

df.app.orchestration("changing", function* (context) {
  if (process.env.LAB_CHANGED === "entity") yield context.df.callEntity(new df.EntityId("Counter", "x"), "get");
  else if (process.env.LAB_CHANGED === "http") yield context.df.callHttp({ method: "GET", url: "http://127.0.0.1:1/" });
  else yield context.df.callActivity("echo", 1);
  yield context.df.waitForExternalEvent("Go");
});

// Many events in one execution, to see what a long history costs.
df.app.orchestration("long", function* (context) {
  let sum = 0;
  for (let n = 0; n < context.df.getInput(); n += 1) sum += yield context.df.callActivity("echo", 1);
  return sum;
});
