import {
  decide,
  initialState,
  SILENCE_LIMIT_MS,
  wantsWork,
  type AgentEvent,
  type AgentState,
  type Effect,
} from "../../../src/agent/lifecycle";
import { job } from "./fake-service";

const lease = { jobId: "j1", attempt: 1, bootId: "boot-1" };
const report = { outcome: "Succeeded", exitCode: 0, runMs: 5 } as const;
const work: AgentEvent = { kind: "work", work: job("j1", { maxDurationSeconds: 60 }), bootId: "boot-1" };
const started: AgentEvent = { kind: "started", lease, at: 1000 };
const exited: AgentEvent = { kind: "exited", lease };
const ended: AgentEvent = { kind: "ended", lease, report };

function after(...events: readonly AgentEvent[]): { readonly state: AgentState; readonly effects: readonly Effect[] } {
  let state = initialState(0);
  let effects: readonly Effect[] = [];
  for (const event of events) ({ state, effects } = decide(state, event));
  return { state, effects };
}

const kinds = (effects: readonly Effect[]): string[] => effects.map(({ kind }) => kind);

it("begins the work that it was given and asks for no more", () => {
  const { state, effects } = after(work);

  expect(kinds(effects)).toEqual(["begin"]);
  expect(wantsWork(state)).toBe(false);
});

it("ignores work while it holds a job", () => {
  const { state, effects } = after(work, { kind: "work", work: job("j2"), bootId: "boot-1" });

  expect(effects).toEqual([]);
  expect(state.held?.lease.jobId).toBe("j1");
});

it("tells of the start once", () => {
  expect(after(work, started).effects).toEqual([{ kind: "notify", notice: "started", lease }]);
  expect(after(work, started, started).effects).toEqual([]);
});

it("reports the end, and discards the attempt when that was acknowledged", () => {
  const reporting = after(work, started, exited, ended);
  const done = after(work, started, exited, ended, { kind: "acknowledged", lease });

  expect(reporting.effects).toMatchObject([{ kind: "report", held: { report } }]);
  expect(kinds(done.effects)).toEqual(["discard"]);
  expect(wantsWork(done.state)).toBe(true);
});

it.each([
  { at: 60_999, stops: [] },
  { at: 61_000, stops: ["stop"] },
  { at: 61_001, stops: ["stop"] },
])("stops an attempt that started at 1000 and may take 60 seconds, at $at: $stops", ({ at, stops }) => {
  expect(kinds(after(work, started, { kind: "tick", at, monotonicMs: at }).effects)).toEqual(stops);
});

it("reports the reason for a stop and not what the program made of it", () => {
  const { effects } = after(work, started, { kind: "cancel", lease }, exited, ended);

  expect(effects).toMatchObject([{ kind: "report", held: { report: { outcome: "Cancelled", exitCode: 0 } } }]);
});

it("keeps the first reason for a stop", () => {
  const { effects, state } = after(
    work,
    started,
    { kind: "cancel", lease },
    { kind: "tick", at: 1e9, monotonicMs: 1e9 },
  );

  expect(effects).toEqual([]);
  expect(state.held?.stop).toBe("Cancelled");
});

it("stops before the container runs, and then tells of no start", () => {
  expect(after(work, { kind: "cancel", lease }).effects).toEqual([{ kind: "stop", lease, reason: "Cancelled" }]);
  expect(after(work, { kind: "cancel", lease }, started).effects).toEqual([]);
});

it("does not call a job cancelled that has ended already", () => {
  const { effects } = after(work, started, exited, { kind: "cancel", lease }, ended);

  expect(effects).toMatchObject([{ kind: "report", held: { report: { outcome: "Succeeded" } } }]);
});

it("drops an attempt that was given away, whatever stopped it before, and reports nothing", () => {
  const stopping = after(work, started, { kind: "cancel", lease }, { kind: "stale", lease });
  const gone = after(work, started, { kind: "cancel", lease }, { kind: "stale", lease }, exited, ended);

  expect(stopping.effects).toEqual([{ kind: "stop", lease, reason: "Dropped" }]);
  expect(kinds(gone.effects)).toEqual(["discard"]);
});

it("asks for no work until a dropped container is gone", () => {
  expect(wantsWork(after(work, started, { kind: "stale", lease }).state)).toBe(false);
});

it("gives up a report whose lease is stale", () => {
  expect(kinds(after(work, started, exited, ended, { kind: "stale", lease }).effects)).toEqual(["discard"]);
});

it("ignores what is said about an earlier attempt", () => {
  const earlier = { ...lease, attempt: 2 };

  expect(after(work, started, { kind: "stale", lease: earlier }).effects).toEqual([]);
  expect(after(work, started, { kind: "cancel", lease: earlier }).effects).toEqual([]);
});

it.each([
  { bootId: "boot-1", effects: [] },
  { bootId: "boot-2", effects: ["stop"] },
])("with a running attempt of boot-1, being registered as $bootId leads to $effects", ({ bootId, effects }) => {
  expect(kinds(after(work, started, { kind: "registered", bootId }).effects)).toEqual(effects);
});

it("still sends the report of an attempt that ended before the boot id changed", () => {
  const { state, effects } = after(work, started, exited, ended, { kind: "registered", bootId: "boot-2" });

  expect(effects).toEqual([]);
  expect(state.held?.phase).toBe("reporting");
});

it("tells of a preemption once and stops the job", () => {
  expect(kinds(after(work, started, { kind: "preempted" }).effects)).toEqual(["notify", "stop"]);
  expect(after(work, started, { kind: "preempted" }, { kind: "preempted" }).effects).toEqual([]);
});

it.each<AgentEvent>([{ kind: "preempted" }, { kind: "drain" }])("asks for no work after $kind", (event) => {
  expect(wantsWork(after(event).state)).toBe(false);
});

it.each([
  { silentMs: SILENCE_LIMIT_MS - 1, effects: [] },
  { silentMs: SILENCE_LIMIT_MS, effects: ["power-off"] },
])("without a job and silent for $silentMs ms: $effects", ({ silentMs, effects }) => {
  const { effects: decided } = after(
    { kind: "contact", monotonicMs: 10 },
    { kind: "tick", at: 0, monotonicMs: 10 + silentMs },
  );

  expect(kinds(decided)).toEqual(effects);
});

it("does not power off under a job, nor twice", () => {
  const tick: AgentEvent = { kind: "tick", at: 0, monotonicMs: SILENCE_LIMIT_MS };

  expect(after(work, started, tick).effects).toEqual([]);
  expect(after(tick, tick).effects).toEqual([]);
});
