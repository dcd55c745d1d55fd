import { containerNameOf } from "./attempt-run";
import type { ContainerEngine, ContainerState } from "./docker";
import type { HeldAttempt } from "./lifecycle";

/** What a newly started agent does about the attempt that it finds on its disk. */
export type Recovery =
  | { readonly kind: "nothing" }
  | { readonly kind: "forget"; readonly held: HeldAttempt }
  | { readonly kind: "report"; readonly held: HeldAttempt }
  | { readonly kind: "reattach"; readonly held: HeldAttempt; readonly container: ContainerState };

export interface RecoveryFacts {
  readonly sameBoot: boolean;
  readonly engine: Pick<ContainerEngine, "stateOf">;
}

export async function recover(held: HeldAttempt | undefined, { sameBoot, engine }: RecoveryFacts): Promise<Recovery> {
  if (!held) return { kind: "nothing" };
  return decideRecovery(held, sameBoot, await engine.stateOf(containerNameOf(held.lease)));
}

export function decideRecovery(held: HeldAttempt, sameBoot: boolean, container: ContainerState | undefined): Recovery {
  // What was stored as a report is true whatever happened since.
  if (held.phase === "reporting") return { kind: "report", held };
  // The service counts an attempt of an earlier boot as lost; a report would come too late.
  if (!sameBoot) return { kind: "forget", held };
  if (container?.started) {
    // `started` is noted again, since the notice of it may have been lost with the process.
    return { kind: "reattach", held: { ...held, phase: "preparing" }, container };
  }
  // Nothing ran yet: the service offers the same work again, with the variables that are not kept on disk.
  if (held.phase === "preparing") return { kind: "forget", held };
  const runMs = Math.max(0, Date.now() - (held.startedAt ?? Date.now()));
  const report = {
    outcome: held.stop && held.stop !== "Dropped" ? held.stop : "Failed",
    message: "the container is gone",
    runMs,
  } as const;
  return held.stop === "Dropped"
    ? { kind: "forget", held }
    : { kind: "report", held: { ...held, phase: "reporting", report } };
}
