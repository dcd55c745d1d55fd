import { ago, attemptRow, idleMachine, jobRow, organizationRow, sessionRow } from "../../support/sample-rows";
import { useWorld } from "../../support/world";

/** This process began to listen a moment ago: all silence is from before. */
const world = useWorld({ listeningSince: new Date() });
const lease = { jobId: "j1", attempt: 1, bootId: "boot1" };

it("takes no idle machine for silent that could not be heard while the service was down (F45)", async () => {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.machines.insert(idleMachine({ idleSince: ago(500), createdAt: ago(900) }));
  await w.sessions.insert(sessionRow({ lastHeartbeatAt: ago(400) }));

  expect(await w.sweep.planSweep()).toEqual({ drain: [] });
});

it("takes no running job for lost whose machine could not be heard while the service was down (F45)", async () => {
  const w = world();
  await w.organizations.insert(organizationRow());
  await w.jobs.insert(jobRow({ state: "Running", attempt: 1, machineId: "m000000001" }));
  await w.attempts.insert(attemptRow({ bootId: "boot1", leasedAt: ago(900) }));
  await w.machines.insert(idleMachine({ state: "Leased", lease }));
  await w.sessions.insert(sessionRow({ lastHeartbeatAt: ago(400) }));

  expect(await w.job.advanceJob({ org: "demo", jobId: "j1" }, w.instances)).toMatchObject({ ended: false });
  expect((await w.machines.find("demo", "m000000001"))?.value.state).toBe("Leased");
});
