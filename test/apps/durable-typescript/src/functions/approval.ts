import * as df from "durable-functions";
import { OrchestrationContext, OrchestrationHandler } from "durable-functions";

/** A code is sent out; a person has some time to answer with it. */
const verification: OrchestrationHandler = function* (context: OrchestrationContext) {
  const { seconds } = context.df.getInput<{ seconds: number }>()!;
  const code: string = yield context.df.callActivity("makeCode", context.df.instanceId);
  const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
  const answer = context.df.waitForExternalEvent("answer");
  const winner: df.Task = yield context.df.Task.any([answer, deadline]);
  if (winner === deadline) return { verified: false, why: "too late" };
  deadline.cancel();
  return { verified: answer.result === code, why: "answered" };
};
df.app.orchestration("verification", verification);

// Whoever receives the code can work it out; a real application would send it by text message.
df.app.activity("makeCode", { handler: (instanceId: string): string => instanceId.slice(0, 4) });
