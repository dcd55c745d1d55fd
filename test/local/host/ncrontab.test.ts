import { parseSchedule } from "../../../local/host/ncrontab";

const start = new Date("2026-03-10T10:15:30.500Z");

function nextOf(schedule: string, zone?: string): string | undefined {
  return parseSchedule(schedule, zone).next(start)?.toISOString();
}

it.each([
  ["0 */5 * * * *", "2026-03-10T10:20:00.000Z"],
  ["*/10 * * * * *", "2026-03-10T10:15:40.000Z"],
  ["0 30 9 * * *", "2026-03-11T09:30:00.000Z"],
  ["0 0 0 * * MON-FRI", "2026-03-11T00:00:00.000Z"],
  ["0 0 0 1 JAN *", "2027-01-01T00:00:00.000Z"],
  ["*/5 * * * *", "2026-03-10T10:20:00.000Z"],
  ["00:05:00", "2026-03-10T10:20:30.500Z"],
])("%s fires next at %s", (schedule, expected) => {
  expect(nextOf(schedule)).toBe(expected);
});

it("wants day of month and day of week both to fit, unlike cron", () => {
  // Friday the 13th.
  expect(nextOf("0 0 0 13 * FRI")).toBe("2026-03-13T00:00:00.000Z");
  expect(nextOf("0 0 0 14 * FRI")).toBe("2026-08-14T00:00:00.000Z");
});

it("reckons in the time zone that is asked for", () => {
  expect(nextOf("0 0 12 * * *", "Europe/Berlin")).toBe("2026-03-10T11:00:00.000Z");
});

it.each(["", "* * *", "0 0 0 32 * *", "every day", "00:00:00", "* * * * * * *"])(
  "refuses the schedule '%s'",
  (schedule) => {
    expect(() => parseSchedule(schedule)).toThrow();
  },
);
