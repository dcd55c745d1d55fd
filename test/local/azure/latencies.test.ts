import { Latencies } from "../../../local/azure/arm/latencies";

/** A generator with a seed, so that the test always sees the same draws. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const draws = (speed: number): number[] => {
  const latencies = new Latencies({ speed, multiplier: () => 1, random: seeded(7), sendsRetryAfter: true });
  return Array.from({ length: 4000 }, () => latencies.drawMs("createVm") / 1000).toSorted(
    (left, right) => left - right,
  );
};
const quantile = (sorted: readonly number[], part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;

it("draws creates around the median and the 90th percentile that were measured", () => {
  const seconds = draws(1);

  expect(quantile(seconds, 0.5)).toBeGreaterThan(77);
  expect(quantile(seconds, 0.5)).toBeLessThan(87);
  expect(quantile(seconds, 0.9)).toBeGreaterThan(140);
  expect(quantile(seconds, 0.9)).toBeLessThan(166);
});

it("divides by the speed", () => {
  expect(quantile(draws(60), 0.5)).toBeCloseTo(quantile(draws(1), 0.5) / 60);
});

it.each([
  { speed: 1, header: "10" },
  { speed: 5, header: "2" },
  { speed: 1000, header: "1" },
])("asks to come back after $header s at speed $speed", ({ speed, header }) => {
  const latencies = new Latencies({ speed, multiplier: () => 1, sendsRetryAfter: true });

  expect(latencies.retryAfter(10)).toEqual({ "Retry-After": header });
});
