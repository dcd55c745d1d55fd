import type { OrchestrationContext, Task } from "durable-functions";
import { advanceJob } from "../activities/contract";
import { CHANGED, type JobRef } from "../domain/instances";
import { call, waitForEvent } from "./durable";

/** Looks at one execution, each of four history events or so: replays stay short. */
const LOOKS = 6;

/**
 * The life of a job: whenever something about it changed, or a time has come, its rows are read and the one step that is due is
 * taken. Ends when the job is terminal.
 */
export function* runJob(context: OrchestrationContext): Generator<Task, void, unknown> {
  const job = context.df.getInput<JobRef>();
  for (let look = 0; look < LOOKS; look += 1) {
    const { ended, checkInSeconds } = yield* call(context, advanceJob, job);
    if (ended) return;
    yield* waitForEvent(context, CHANGED, checkInSeconds);
  }
  context.df.continueAsNew(job);
}
