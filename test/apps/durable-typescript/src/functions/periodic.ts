import * as df from "durable-functions";
import { OrchestrationContext, OrchestrationHandler } from "durable-functions";

interface Round {
  readonly round?: number;
  readonly everyMs: number;
}

/** An eternal orchestration: begins anew after each round, until it was told to end. */
const periodic: OrchestrationHandler = function* (context: OrchestrationContext) {
  const { round = 1, everyMs } = context.df.getInput<Round>()!;
  context.df.setCustomStatus({ round });
  yield context.df.callActivity("tidyUp", round);
  const stop = context.df.waitForExternalEvent("stop");
  const next = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + everyMs));
  const winner: df.Task = yield context.df.Task.any([stop, next]);
  if (winner === stop) {
    next.cancel();
    return { rounds: round };
  }
  context.df.continueAsNew({ round: round + 1, everyMs });
};
df.app.orchestration("periodic", periodic);
df.app.activity("tidyUp", { handler: (round: number): string => `round ${round}` });

/** A parent that leaves parts of its work to children, and one of them fails twice before it works. */
const provisionDevices: OrchestrationHandler = function* (context: OrchestrationContext) {
  const retry = new df.RetryOptions(50, 5);
  const devices = context.df.getInput<string[]>()!;
  return yield context.df.Task.all(
    devices.map((device) => context.df.callSubOrchestratorWithRetry("provisionDevice", retry, device)),
  );
};
df.app.orchestration("provisionDevices", provisionDevices);

df.app.orchestration("provisionDevice", function* (context: OrchestrationContext) {
  return yield context.df.callActivity("register", context.df.getInput<string>());
});

const failures = new Map<string, number>();
df.app.activity("register", {
  handler: (device: string): string => {
    const failed = failures.get(device) ?? 0;
    failures.set(device, failed + 1);
    if (device.startsWith("flaky") && failed < 2) throw new Error(`${device} does not answer`);
    return `${device} is ready`;
  },
});
