const df = require("durable-functions");

const clientInput = df.input.durableClient();

df.app.entity("Counter", (context) => {
  const state = context.df.getState(() => 0);
  const input = context.df.getInput();
  switch (context.df.operationName) {
    case "add":
      context.df.setState(state + input);
      context.df.return(state + input);
      return;
    case "get":
      context.df.return(state);
      return;
    case "delete":
    case "forget":
      context.df.destructOnExit();
      return;
    case "fail":
      throw new Error("the counter does not do that");
    case "facts":
      context.df.return({
        name: context.df.entityName,
        key: context.df.entityKey,
        isNew: context.df.isNewlyConstructed,
        operation: context.df.operationName,
      });
      return;
    case "forward":
      context.df.signalEntity(new df.EntityId("Counter", input.to), "add", input.amount);
      return;
    case "touch":
      context.df.setState(state);
      return;
  }
});

df.app.entity("Slow", async (context) => {
  const log = context.df.getState(() => []);
  const { label, waitMs } = context.df.getInput() ?? {};
  if (context.df.operationName === "note") {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    context.df.setState([...log, label]);
  }
  context.df.return(log.length);
});

// An entity may have a client of its own, and start orchestrations with it.
df.app.entity("Starter", {
  extraInputs: [clientInput],
  handler: async (context) => {
    const { name, id, input } = context.df.getInput();
    await df.getClient(context).startNew(name, { instanceId: id, input });
    context.df.setState(id);
  },
});

const counter = (key) => new df.EntityId("Counter", key);

df.app.orchestration("callCounter", function* (context) {
  const { key, operations } = context.df.getInput();
  const results = [];
  for (const [operation, input] of operations) {
    try {
      results.push((yield context.df.callEntity(counter(key), operation, input)) ?? null);
    } catch (error) {
      results.push({ failed: error.message });
    }
  }
  return results;
});

df.app.orchestration("signalThenCall", function* (context) {
  const { key, amounts } = context.df.getInput();
  for (const amount of amounts) context.df.signalEntity(counter(key), "add", amount);
  return yield context.df.callEntity(counter(key), "get");
});

df.app.orchestration("signalThenThrow", function* (context) {
  context.df.signalEntity(counter(context.df.getInput()), "add", 1);
  yield context.df.callActivity("echo", 1);
  context.df.signalEntity(counter(context.df.getInput()), "add", 10);
  throw new Error("after the signals");
});

// Reads, waits and writes: without the lock two of these would lose updates.
df.app.orchestration("lockedAdd", function* (context) {
  const { keys, times, waitMs } = context.df.getInput();
  const lock = yield context.df.lock(keys.map(counter));
  const { isLocked, ownedLocks } = context.df.isLocked();
  for (let time = 0; time < times; time += 1) {
    for (const key of keys) {
      const before = yield context.df.callEntity(counter(key), "get");
      if (waitMs > 0) yield context.df.callActivity("wait", waitMs);
      const after = yield context.df.callEntity(counter(key), "add", 1);
      if (after !== before + 1) throw new Error(`lost an update: ${before} became ${after}`);
    }
  }
  lock.release();
  const free = yield context.df.callActivity("echo", "free");
  return { isLocked, owned: ownedLocks.map((each) => each.key), free };
});

df.app.orchestration("lockAndStay", function* (context) {
  const { keys, how } = context.df.getInput();
  if (how === "again") return "released";
  yield context.df.lock(keys.map(counter));
  context.df.setCustomStatus("locked");
  if (how === "return") return "held";
  if (how === "throw") throw new Error("inside the critical section");
  if (how === "continue") {
    context.df.continueAsNew({ keys, how: "again" });
    return undefined;
  }
  yield context.df.waitForExternalEvent("Go");
  return "went on";
});

df.app.orchestration("rules", function* (context) {
  const broken = [];
  const attempt = (action) => {
    try {
      action();
    } catch (error) {
      broken.push(error.constructor.name);
    }
  };
  yield context.df.lock(counter("rules-a"));
  attempt(() => context.df.lock(counter("rules-b")));
  attempt(() => context.df.callSubOrchestrator("echoes"));
  attempt(() => context.df.callEntity(counter("rules-c"), "get"));
  attempt(() => context.df.signalEntity(counter("rules-a"), "add", 1));
  return broken;
});

df.app.orchestration("unknownEntity", function* (context) {
  try {
    yield context.df.callEntity(new df.EntityId("Nowhere", "k"), "get");
  } catch {
    return "caught";
  }
});

df.app.orchestration("entityAndActivities", function* (context) {
  const retry = new df.RetryOptions(5, 3);
  const [a, b, c] = yield context.df.Task.all([
    context.df.callEntity(counter("mixed"), "add", 2),
    context.df.callActivityWithRetry("failTimes", retry, { key: "mixed", times: 2 }),
    context.df.callEntity(counter("mixed"), "add", 3),
  ]);
  const after = yield context.df.callEntity(counter("mixed"), "get");
  return { sum: [a, c], b, after };
});
