import type { OrchestrationContext, Task } from "durable-functions";
import { observeMachines, placeJobs, startMachine, takeScheduler } from "../activities/contract";
import { CHANGED, type SubscriptionRef } from "../domain/instances";
import { call, callAll, waitForEvent } from "./durable";

const PASSES = 4;

/**
 * The only one that places, one for each subscription and without end. Each execution begins with a pass: events that were
 * delivered and not awaited are lost when it continues as new, and the rows that they hinted at are read by that pass.
 */
export function* scheduler(context: OrchestrationContext): Generator<Task, void, unknown> {
  const { subscriptionId, epoch: known } = context.df.getInput<SubscriptionRef & { epoch?: number }>();
  const epoch =
    known ??
    (yield* call(context, takeScheduler, { subscriptionId, holder: context.df.newGuid(context.df.instanceId) }));
  for (let pass = 0; pass < PASSES; pass += 1) {
    const { fenced, machines, observe, nextPassSeconds } = yield* call(context, placeJobs, { subscriptionId, epoch });
    if (fenced) return;
    if (machines.length > 0) yield* callAll(context, startMachine, machines);
    if (observe) yield* call(context, observeMachines, { subscriptionId });
    if ((yield* waitForEvent(context, CHANGED, nextPassSeconds)) === "timed out") break;
  }
  context.df.continueAsNew({ subscriptionId, epoch });
}
