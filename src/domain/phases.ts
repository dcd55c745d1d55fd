import type { Phases } from "../contract/job";

/** The moments of an attempt that its phases lie between. RFC 3339; absent until they are known. */
export interface Moments {
  readonly queuedAt: string;
  readonly placingAt?: string | undefined;
  readonly leasedAt?: string | undefined;
  /** The machine was there before: create and boot are no part of this attempt. */
  readonly reusedMachine?: boolean | undefined;
  readonly putSentAt?: string | undefined;
  readonly vmSucceededAt?: string | undefined;
  readonly registeredAt?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly runMs?: number | undefined;
}

function between(from: string | undefined, to: string | undefined): number {
  return from === undefined || to === undefined ? 0 : Math.max(0, Date.parse(to) - Date.parse(from));
}

/** How long each part of the last attempt took (contract 5); 0 for a part that it did not have. */
export function phasesOf(moments: Moments): Phases {
  const queuedMs = between(moments.queuedAt, moments.placingAt);
  const runMs = Math.round(moments.runMs ?? 0);
  if (moments.reusedMachine) {
    return {
      queuedMs,
      placedMs: between(moments.placingAt, moments.leasedAt),
      createMs: 0,
      bootMs: 0,
      dispatchMs: between(moments.leasedAt, moments.startedAt),
      runMs,
    };
  }
  // A VM may register before Azure calls its creation done; then all of the wait was creation.
  const created = [moments.vmSucceededAt, moments.registeredAt].filter((time) => time !== undefined).sort()[0];
  return {
    queuedMs,
    placedMs: between(moments.placingAt, moments.putSentAt),
    createMs: between(moments.putSentAt, created),
    bootMs: between(created, moments.registeredAt),
    dispatchMs: between(moments.registeredAt, moments.startedAt),
    runMs,
  };
}
