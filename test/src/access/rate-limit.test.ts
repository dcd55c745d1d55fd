import { RateLimit } from "../../../src/access/rate-limit";
import { RateTable } from "../../../src/state/rate-table";
import { useTable } from "../../support/azurite";

const table = useTable("Rates");
const PERSON = "9e000000-0000-4000-8000-000000000001";

let clock: jest.SpyInstance<number, []>;
beforeEach(() => {
  clock = jest.spyOn(Date, "now").mockReturnValue(1_900_000_030_000);
});
afterEach(() => {
  clock.mockRestore();
});

async function callsUntilRefused(limits: readonly RateLimit[]): Promise<{ passed: number; waitSeconds: number }> {
  for (let passed = 0; ; passed += 1) {
    const waitSeconds = await limits[passed % limits.length]?.waitSecondsFor(PERSON);
    if (waitSeconds !== undefined) return { passed, waitSeconds };
  }
}

it("counts the calls of a principal over all instances, and says when he may come again (T26)", async () => {
  const rates = new RateTable(table());
  const instances = [1, 2, 3].map(() => new RateLimit(rates, { callsPerMinute: 300 }));
  const { passed, waitSeconds } = await callsUntilRefused(instances);

  // An instance may still hold a part of its last share when the first one has none.
  expect(passed).toBeLessThanOrEqual(300);
  expect(passed).toBeGreaterThanOrEqual(200);
  expect(waitSeconds).toBe(50);
});

it("lets others call, and him in the next minute", async () => {
  const limit = new RateLimit(new RateTable(table()), { callsPerMinute: 60 });
  await callsUntilRefused([limit]);

  expect(await limit.waitSecondsFor(PERSON.replace(/1$/, "2"))).toBeUndefined();
  clock.mockReturnValue(1_900_000_090_000);
  expect(await limit.waitSecondsFor(PERSON)).toBeUndefined();
});

it("writes its row once for fifty calls", async () => {
  const rates = new RateTable(table());
  const replace = jest.spyOn(rates, "replace");
  const limit = new RateLimit(rates);
  for (let count = 0; count < 500; count += 1) await limit.waitSecondsFor(PERSON);

  expect(replace).toHaveBeenCalledTimes(9);
});
