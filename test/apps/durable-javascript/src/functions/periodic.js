const df = require("durable-functions");

/** An eternal orchestration: begins anew after each round, until it was told to end. */
df.app.orchestration("periodic", function* (context) {
  const { round = 1, everyMs } = context.df.getInput();
  context.df.setCustomStatus({ round });
  yield context.df.callActivity("tidyUp", round);
  const stop = context.df.waitForExternalEvent("stop");
  const next = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + everyMs));
  if ((yield context.df.Task.any([stop, next])) === stop) {
    next.cancel();
    return { rounds: round };
  }
  context.df.continueAsNew({ round: round + 1, everyMs });
});

df.app.activity("tidyUp", { handler: (round) => `round ${round}` });

/** A parent that leaves parts of its work to children, and one of them fails twice before it works. */
df.app.orchestration("provisionDevices", function* (context) {
  const retry = new df.RetryOptions(50, 5);
  const children = context.df
    .getInput()
    .map((device) => context.df.callSubOrchestratorWithRetry("provisionDevice", retry, device));
  return yield context.df.Task.all(children);
});

df.app.orchestration("provisionDevice", function* (context) {
  return yield context.df.callActivity("register", context.df.getInput());
});

const failures = new Map();
df.app.activity("register", {
  handler: (device) => {
    const failed = failures.get(device) ?? 0;
    failures.set(device, failed + 1);
    if (device.startsWith("flaky") && failed < 2) throw new Error(`${device} does not answer`);
    return `${device} is ready`;
  },
});
