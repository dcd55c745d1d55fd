import type { OrchestrationContext, Task } from "durable-functions";
import type { ActivityRef } from "../activities/contract";

/** Wall-clock of the orchestration plus some seconds; the same in every replay. */
function dueAt(context: OrchestrationContext, seconds: number): Date {
  return new Date(context.df.currentUtcDateTime.getTime() + Math.max(0, seconds) * 1000);
}

/** Waits by a durable timer. */
export function* sleep(context: OrchestrationContext, seconds: number): Generator<Task, void, unknown> {
  yield context.df.createTimer(dueAt(context, seconds));
}

/**
 * Calls an activity and tries again after the waits of its contract. The loop is here and not in RetryOptions, because a refusal
 * is a result and only a passing fault throws. Throws what the last try threw.
 */
export function* call<Input, Output>(
  context: OrchestrationContext,
  activity: ActivityRef<Input, Output>,
  input: Input,
): Generator<Task, Output, unknown> {
  for (const waitMs of activity.waitsMs) {
    try {
      // The host gives back what the activity returned, through JSON.
      return (yield context.df.callActivity(activity.name, input)) as Output;
    } catch (error) {
      log(context, `${activity.name} failed and will be tried again in ${waitMs} ms: ${String(error)}`);
      yield* sleep(context, waitMs / 1000);
    }
  }
  return (yield context.df.callActivity(activity.name, input)) as Output;
}

/** Calls an activity for each input at once. One that fails is tried again alone, by the waits of its contract. */
export function* callAll<Input, Output>(
  context: OrchestrationContext,
  activity: ActivityRef<Input, Output>,
  inputs: readonly Input[],
): Generator<Task, void, unknown> {
  const tasks = inputs.map((input) => context.df.callActivity(activity.name, input));
  try {
    // The SDK schedules a task when it is yielded: one after the other they would run one after the other.
    yield context.df.Task.all(tasks);
    return;
  } catch {
    // Which of them failed is seen below, where each is awaited. One that worked is not called again.
  }
  for (const [index, input] of inputs.entries()) {
    const task = tasks[index];
    try {
      if (task) yield task;
    } catch (error) {
      log(context, `${activity.name} failed and will be tried again: ${String(error)}`);
      yield* call(context, activity, input);
    }
  }
}

/** Waits for an event, at most so long. The event is a hint; what counts is what the rows say afterwards. */
export function* waitForEvent(
  context: OrchestrationContext,
  name: string,
  seconds: number,
): Generator<Task, "raised" | "timed out", unknown> {
  const raised = context.df.waitForExternalEvent(name);
  const timer = context.df.createTimer(dueAt(context, seconds));
  const first = yield context.df.Task.any([raised, timer]);
  if (first === timer) return "timed out";
  timer.cancel();
  return "raised";
}

/** Logs once, not again in each replay. */
export function log(context: OrchestrationContext, message: string): void {
  if (!context.df.isReplaying) context.info(message);
}
