import fc from "fast-check";
import type { JobState } from "../../../src/contract/job";
import { ledgerOf } from "../../../src/domain/ledger";

const job = (jobId: string, state: JobState) => ({ jobId, state });

it("counts what is over and what lives, and finds no difference (I1)", () => {
  const jobs = [
    job("a", "Succeeded"),
    job("b", "Failed"),
    job("c", "Cancelled"),
    job("d", "Expired"),
    job("e", "Queued"),
  ];

  expect(ledgerOf({ jobs, live: [job("e", "Queued")] })).toEqual({
    accepted: 5,
    terminal: { Succeeded: 1, Failed: 1, Cancelled: 1, Expired: 1 },
    live: 1,
    differences: [],
  });
});

it.each<[string, ReturnType<typeof job>[], ReturnType<typeof job>[]]>([
  ["a is Succeeded and still counted as live", [job("a", "Succeeded")], [job("a", "Running")]],
  ["a is Queued and its index says nothing", [job("a", "Queued")], []],
  ["a is Queued and its index says Running", [job("a", "Queued")], [job("a", "Running")]],
  ["a is in the index and has no row", [], [job("a", "Queued")]],
])("says that %s", (difference, jobs, live) => {
  expect(ledgerOf({ jobs, live }).differences).toEqual([difference]);
});

it("adds up whenever there is no difference", () => {
  const states = fc.constantFrom<JobState>(
    "Queued",
    "Placing",
    "Running",
    "Succeeded",
    "Failed",
    "Cancelled",
    "Expired",
  );

  fc.assert(
    fc.property(fc.array(states), (all) => {
      const jobs = all.map((state, index) => job(`j${index}`, state));
      const live = jobs.filter(({ state }) => ["Queued", "Placing", "Running"].includes(state));
      const ledger = ledgerOf({ jobs, live });
      const { Succeeded, Failed, Cancelled, Expired } = ledger.terminal;

      expect(ledger.differences).toEqual([]);
      expect(Succeeded + Failed + Cancelled + Expired + ledger.live).toBe(ledger.accepted);
    }),
  );
});
