import type { OrchestrationContext, Task } from "durable-functions";
import { confirmEstateOf } from "../activities/contract";
import type { OrgRef } from "../domain/instances";
import { call } from "./durable";

/** Reads back what somebody else has laid down for an organization, and says in its row whether jobs can run on it. */
export function* confirmEstate(context: OrchestrationContext): Generator<Task, void, unknown> {
  yield* call(context, confirmEstateOf, context.df.getInput<OrgRef>());
}
