import { ledgerOf } from "../../src/domain/ledger";
import type { World } from "./world";

const HOLDS_LEASE: ReadonlySet<string> = new Set(["Starting", "Running"]);

/**
 * What must hold whenever nobody is at work: every job is accounted for, each that runs has exactly one machine whose lease says so,
 * its attempt names the same boot, and no lease stands for a job that does not run under it.
 */
export async function expectConsistent(world: World, org = "demo"): Promise<void> {
  const [{ jobs, live }, machines] = await Promise.all([world.jobs.listAll(org), world.machines.listLive(org)]);
  const leases = machines.flatMap(({ value: { machineId, state, lease } }) =>
    lease || state === "Leased" ? [{ machineId, state, ...lease }] : [],
  );
  const running = jobs.filter(({ state }) => HOLDS_LEASE.has(state));
  const expected = await Promise.all(
    running.map(async ({ jobId, attempt, machineId }) => {
      const bootId = (await world.attempts.find(org, jobId, attempt))?.value.bootId;
      return { machineId, state: "Leased", jobId, attempt, bootId };
    }),
  );

  const byJob = (left: { jobId?: string }, right: { jobId?: string }) =>
    (left.jobId ?? "") < (right.jobId ?? "") ? -1 : 1;
  expect(ledgerOf({ jobs, live }).differences).toEqual([]);
  expect([...leases].sort(byJob)).toEqual([...expected].sort(byJob));
}
