import type { OrchestrationContext, Task } from "durable-functions";
import { drainMachine, planSweep, redrive } from "../activities/contract";
import { call, callAll } from "./durable";

/** One clean-up: plans what is to go, takes each by compare-and-set, and sees that nothing that has a row is without its run. */
export function* sweep(context: OrchestrationContext): Generator<Task, void, unknown> {
  const { drain } = yield* call(context, planSweep, {});
  if (drain.length > 0) yield* callAll(context, drainMachine, drain);
  yield* call(context, redrive, {});
}
