import { decideRecovery } from "../../../src/agent/recovery";
import type { HeldAttempt } from "../../../src/agent/lifecycle";
import { job } from "./fake-service";

const running = { running: true, started: true, startedAt: 7, exitCode: 0, oomKilled: false, error: "" };
const held: HeldAttempt = {
  lease: { jobId: "j1", attempt: 1, bootId: "b" },
  work: job("j1"),
  phase: "running",
  startedAt: 7,
};

it.each([
  { what: "a container that runs", given: held, container: running, kind: "reattach" },
  {
    what: "a container that ended meanwhile",
    given: held,
    container: { ...running, running: false },
    kind: "reattach",
  },
  {
    what: "a start that was not noted",
    given: { ...held, phase: "preparing" as const },
    container: running,
    kind: "reattach",
  },
  {
    what: "nothing started yet",
    given: { ...held, phase: "preparing" as const },
    container: undefined,
    kind: "forget",
  },
  {
    what: "a container that could not be started",
    given: { ...held, phase: "preparing" as const },
    container: { ...running, started: false },
    kind: "forget",
  },
  { what: "a container that is gone", given: held, container: undefined, kind: "report" },
  {
    what: "a dropped container that is gone",
    given: { ...held, stop: "Dropped" as const },
    container: undefined,
    kind: "forget",
  },
  { what: "a stored report", given: { ...held, phase: "reporting" as const }, container: undefined, kind: "report" },
])("after a restart, $what: $kind", ({ given, container, kind }) => {
  expect(decideRecovery(given, true, container).kind).toBe(kind);
});

it("forgets after a reboot what was running, and still sends what was stored", () => {
  expect(decideRecovery(held, false, { ...running, running: false }).kind).toBe("forget");
  expect(decideRecovery({ ...held, phase: "reporting" }, false, undefined).kind).toBe("report");
});

it("reports the reason for which a vanished container was being stopped", () => {
  const recovery = decideRecovery({ ...held, stop: "Cancelled" }, true, undefined);

  expect(recovery).toMatchObject({ kind: "report", held: { report: { outcome: "Cancelled" } } });
});
