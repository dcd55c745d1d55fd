import { kindOf } from "./actions";
import type { Action, TaskKind } from "./actions";
import type { ScheduledTask } from "./execution";

/**
 * Compares what the orchestrator did in this replay with what its history says it did before. The SDK itself matches ids
 * blindly, so that changed code would silently get the results of other calls.
 */
export function findDivergence(scheduled: readonly ScheduledTask[], tasks: readonly Action[]): string | undefined {
  for (const [position, past] of scheduled.entries()) {
    const action = tasks[position];
    const now = action ? describeAction(action) : "nothing";
    if (action && matches(past, action)) continue;
    return (
      `Non-Deterministic workflow detected: the history has ${describe(past.kind, past.name)} with id ${past.id} ` +
      `at position ${position + 1} of the schedule, this replay has ${now}. Code of running orchestrations must not change its order of calls.`
    );
  }
  return undefined;
}

function matches(past: ScheduledTask, action: Action): boolean {
  if (past.kind !== kindOf(action)) return false;
  switch (past.kind) {
    case "call":
    case "signal":
      return action.instanceId === past.instanceId;
    case "activity":
      return past.name.toLowerCase() === (action.functionName ?? "").toLowerCase();
    case "sub-orchestration":
      // Without an instance id of its own the host drew one, which the code cannot know.
      return (
        past.name.toLowerCase() === (action.functionName ?? "").toLowerCase() &&
        (!action.instanceId || action.instanceId === past.instanceId)
      );
    case "timer":
    case "HTTP call":
    case "lock":
    case "release":
      return true;
  }
}

const UNNAMED: Partial<Record<TaskKind, string>> = {
  timer: "a timer",
  "HTTP call": "an HTTP call",
  call: "a call of an entity",
  signal: "a signal to an entity",
  lock: "a lock of entities",
  release: "a release of entities",
};

function describe(kind: TaskKind, name: string): string {
  return UNNAMED[kind] ?? `${kind} '${name}'`;
}

function describeAction(action: Action): string {
  return describe(kindOf(action) ?? "activity", action.functionName ?? "");
}
