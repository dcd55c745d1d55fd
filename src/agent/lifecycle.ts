import type { AttemptReport, Work } from "../contract/agent";

/** What an attempt's calls carry: the boot in which the machine took the job, so that a stale one can be told from a live one. */
export interface Lease {
  readonly jobId: string;
  readonly attempt: number;
  readonly bootId: string;
}

/** Why the agent ends a container itself. `Dropped`: the service gave the job to another machine, so nothing is saved or reported. */
export type StopReason = "Cancelled" | "TimedOut" | "Evicted" | "Dropped";

export interface HeldAttempt {
  readonly lease: Lease;
  readonly work: Work;
  /** `saving`: the container has ended, volumes and logs are copied. `reporting`: the report is on disk and not yet acknowledged. */
  readonly phase: "preparing" | "running" | "saving" | "reporting";
  /** Wall clock, since it must hold across a restart of the agent. */
  readonly startedAt?: number;
  readonly stop?: StopReason;
  readonly report?: AttemptReport;
}

export interface AgentState {
  readonly draining: boolean;
  readonly evicting: boolean;
  readonly poweringOff: boolean;
  /** On the monotonic clock: a corrected wall clock must not power a machine off. */
  readonly lastContactMs: number;
  readonly held?: HeldAttempt;
}

export type AgentEvent =
  | { readonly kind: "contact"; readonly monotonicMs: number }
  | { readonly kind: "registered"; readonly bootId: string }
  | { readonly kind: "drain" }
  | { readonly kind: "work"; readonly work: Work; readonly bootId: string }
  | { readonly kind: "started"; readonly lease: Lease; readonly at: number }
  | { readonly kind: "exited"; readonly lease: Lease }
  | { readonly kind: "ended"; readonly lease: Lease; readonly report: AttemptReport }
  | { readonly kind: "cancel"; readonly lease: Lease }
  | { readonly kind: "stale"; readonly lease: Lease }
  | { readonly kind: "acknowledged"; readonly lease: Lease }
  | { readonly kind: "preempted" }
  | { readonly kind: "tick"; readonly at: number; readonly monotonicMs: number };

export type Effect =
  | { readonly kind: "begin"; readonly held: HeldAttempt }
  | { readonly kind: "notify"; readonly notice: "started" | "evicting"; readonly lease: Lease }
  | { readonly kind: "stop"; readonly lease: Lease; readonly reason: StopReason }
  | { readonly kind: "report"; readonly held: HeldAttempt }
  | { readonly kind: "discard"; readonly held: HeldAttempt }
  | { readonly kind: "power-off" };

export interface Decision {
  readonly state: AgentState;
  readonly effects: readonly Effect[];
}

/** A machine that nobody can reach must not cost money: without a job it ends itself after this time. */
export const SILENCE_LIMIT_MS = 15 * 60_000;

export function initialState(monotonicMs: number): AgentState {
  return { draining: false, evicting: false, poweringOff: false, lastContactMs: monotonicMs };
}

/** May the machine ask for a job now? */
export function wantsWork(state: AgentState): boolean {
  return !state.held && !state.draining && !state.evicting && !state.poweringOff;
}

/** What the agent does about an event. Events that name a lease other than the held one are late and change nothing. */
export function decide(state: AgentState, event: AgentEvent): Decision {
  if ("lease" in event && !isHeld(state, event.lease)) return unchanged(state);
  switch (event.kind) {
    case "contact":
      return unchanged({ ...state, lastContactMs: event.monotonicMs });
    case "drain":
      return unchanged({ ...state, draining: true });
    case "registered":
      return decideRegistered(state, event.bootId);
    case "work":
      return decideWork(state, event);
    case "started":
      return decideStarted(state, event.at);
    case "exited":
      return unchanged(withHeld(state, { phase: "saving" }));
    case "ended":
      return decideEnded(state, event.report);
    case "cancel":
      return stop(state, "Cancelled");
    case "stale":
      return decideStale(state);
    case "acknowledged":
      return discard(state);
    case "preempted":
      return decidePreempted(state);
    case "tick":
      return decideTick(state, event);
  }
}

/** Leases are compared without the boot: the service may renew it while the same attempt goes on. */
function isHeld({ held }: AgentState, lease: Lease): boolean {
  return held?.lease.jobId === lease.jobId && held.lease.attempt === lease.attempt;
}

/** A boot id other than the lease's says that the service no longer counts on this attempt. A finished one still tries to report. */
function decideRegistered(state: AgentState, bootId: string): Decision {
  const { held } = state;
  if (!held || held.phase === "reporting" || held.lease.bootId === bootId) return unchanged(state);
  return stop(state, "Dropped");
}

function decideWork(state: AgentState, { work, bootId }: { readonly work: Work; readonly bootId: string }): Decision {
  if (!wantsWork(state)) return unchanged(state);
  const held: HeldAttempt = { lease: { jobId: work.jobId, attempt: work.attempt, bootId }, work, phase: "preparing" };
  return { state: { ...state, held }, effects: [{ kind: "begin", held }] };
}

function decideStarted(state: AgentState, at: number): Decision {
  const { held } = state;
  if (held?.phase !== "preparing") return unchanged(state);
  return {
    state: withHeld(state, { phase: "running", startedAt: at }),
    effects: held.stop ? [] : [{ kind: "notify", notice: "started", lease: held.lease }],
  };
}

/** What the agent stopped ends with the reason for it, whatever exit code the program chose on SIGTERM. */
function decideEnded(state: AgentState, report: AttemptReport): Decision {
  const { held } = state;
  if (!held) return unchanged(state);
  if (held.stop === "Dropped") return discard(state);
  const final = held.stop ? { ...report, outcome: held.stop } : report;
  const next = withHeld(state, { phase: "reporting", report: final });
  return { state: next, effects: next.held ? [{ kind: "report", held: next.held }] : [] };
}

function decideStale(state: AgentState): Decision {
  return state.held?.phase === "reporting" ? discard(state) : stop(state, "Dropped");
}

function decidePreempted(state: AgentState): Decision {
  if (state.evicting) return unchanged(state);
  const { state: next, effects } = stop({ ...state, evicting: true }, "Evicted");
  const notice: Effect[] = next.held ? [{ kind: "notify", notice: "evicting", lease: next.held.lease }] : [];
  return { state: next, effects: [...notice, ...effects] };
}

function decideTick(
  state: AgentState,
  { at, monotonicMs }: { readonly at: number; readonly monotonicMs: number },
): Decision {
  const { held } = state;
  if (held) {
    const { phase, startedAt, work } = held;
    const late = phase === "running" && startedAt !== undefined && at - startedAt >= work.maxDurationSeconds * 1000;
    return late ? stop(state, "TimedOut") : unchanged(state);
  }
  if (state.poweringOff || monotonicMs - state.lastContactMs < SILENCE_LIMIT_MS) return unchanged(state);
  return { state: { ...state, poweringOff: true }, effects: [{ kind: "power-off" }] };
}

/** The first reason stands, but for `Dropped`: an attempt that was given away must neither save nor report. */
function stop(state: AgentState, reason: StopReason): Decision {
  const { held } = state;
  if (!held || held.phase === "reporting" || held.stop === reason) return unchanged(state);
  if (reason !== "Dropped" && (held.stop || held.phase === "saving")) return unchanged(state);
  return { state: withHeld(state, { stop: reason }), effects: [{ kind: "stop", lease: held.lease, reason }] };
}

function discard(state: AgentState): Decision {
  const { held, ...rest } = state;
  return { state: rest, effects: held ? [{ kind: "discard", held }] : [] };
}

function withHeld(state: AgentState, change: Partial<HeldAttempt>): AgentState {
  return state.held ? { ...state, held: { ...state.held, ...change } } : state;
}

function unchanged(state: AgentState): Decision {
  return { state, effects: [] };
}
