import fc from "fast-check";
import { type AttemptOutcome, decideNextStep } from "../../../src/domain/attempt-outcome";

type Budget = "failures" | "evictions" | "boots";
const none = { failures: 0, evictions: 0, boots: 0 };
const jobWith = (
  retry: Partial<Record<Budget, number>>,
  capacity: "spot" | "spot-then-on-demand" = "spot-then-on-demand",
) => ({
  retry: { ...none, ...retry },
  capacity,
});

it.each<[AttemptOutcome, string]>([
  ["Succeeded", "Succeeded"],
  ["Cancelled", "Cancelled"],
  ["ImageError", "Failed"],
  ["SecretError", "Failed"],
  ["SourceError", "Failed"],
  ["VolumeError", "Failed"],
])("%s ends the job as %s, however many retries there are", (outcome, state) => {
  const job = jobWith({ failures: 9, evictions: 9, boots: 9 });

  expect(decideNextStep(outcome, job, none)).toEqual({ kind: "end", state });
});

it.each<[AttemptOutcome, Budget]>([
  ["Failed", "failures"],
  ["OutOfMemory", "failures"],
  ["DiskFull", "failures"],
  ["TimedOut", "failures"],
  ["Evicted", "evictions"],
  ["Lost", "evictions"],
  ["BootFailed", "boots"],
])(
  "%s counts against %s and no other budget: one below the limit it is tried again, at the limit it fails",
  (outcome, budget) => {
    const job = jobWith({ [budget]: 3 });

    const below = decideNextStep(outcome, job, { ...none, [budget]: 2 });
    const at = decideNextStep(outcome, job, { ...none, [budget]: 3 });
    const others = decideNextStep(outcome, jobWith({ failures: 9, evictions: 9, boots: 9, [budget]: 0 }), none);

    expect(below).toMatchObject({ kind: "retry", used: { ...none, [budget]: 3 } });
    expect(at).toEqual({ kind: "end", state: "Failed" });
    expect(others).toEqual({ kind: "end", state: "Failed" });
  },
);

it.each([
  { capacity: "spot-then-on-demand", used: 0, onDemandOnly: false },
  { capacity: "spot-then-on-demand", used: 1, onDemandOnly: true },
  { capacity: "spot", used: 1, onDemandOnly: false },
] as const)(
  "after $used evictions of 2 with $capacity the next runs on demand: $onDemandOnly",
  ({ capacity, used, onDemandOnly }) => {
    const next = decideNextStep("Evicted", jobWith({ evictions: 2 }, capacity), { ...none, evictions: used });

    expect(next).toMatchObject({ kind: "retry", onDemandOnly });
  },
);

it("does not turn to on-demand for a failure, even when no eviction is permitted", () => {
  const next = decideNextStep("Failed", jobWith({ failures: 1, evictions: 0 }), none);

  expect(next).toMatchObject({ kind: "retry", onDemandOnly: false });
});

it("never allows more attempts than one and the sum of the budgets (I10)", () => {
  const outcome = fc.constantFrom<AttemptOutcome>(
    "Failed",
    "OutOfMemory",
    "DiskFull",
    "TimedOut",
    "Evicted",
    "Lost",
    "BootFailed",
  );
  const budget = fc.integer({ min: 0, max: 5 });

  fc.assert(
    fc.property(
      fc.record({ failures: budget, evictions: budget, boots: budget }),
      fc.infiniteStream(outcome),
      (retry, outcomes) => {
        let used = none;
        let attempts = 0;
        for (const each of outcomes) {
          attempts += 1;
          const next = decideNextStep(each, { retry, capacity: "spot" }, used);
          if (next.kind === "end") break;
          ({ used } = next);
        }

        expect(attempts).toBeLessThanOrEqual(1 + retry.failures + retry.evictions + retry.boots);
      },
    ),
  );
});
