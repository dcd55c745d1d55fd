import { existsSync } from "node:fs";
import * as df from "durable-functions";
import { OrchestrationContext, OrchestrationHandler } from "durable-functions";

interface MonitorInput {
  readonly file: string;
  readonly everyMs: number;
  readonly forMs: number;
}

/** Looks again and again, with a durable timer between, until a file is there or time is up. */
const monitor: OrchestrationHandler = function* (context: OrchestrationContext) {
  const { file, everyMs, forMs } = context.df.getInput<MonitorInput>()!;
  const endsAt = context.df.currentUtcDateTime.getTime() + forMs;
  let looks = 0;
  while (context.df.currentUtcDateTime.getTime() < endsAt) {
    looks += 1;
    context.df.setCustomStatus({ looks });
    const isThere: boolean = yield context.df.callActivity("isThere", file);
    if (isThere) return { found: true, looks };
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + everyMs));
  }
  return { found: false, looks };
};
df.app.orchestration("monitor", monitor);

df.app.activity("isThere", { handler: (file: string): boolean => existsSync(file) });
