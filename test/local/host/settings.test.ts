import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationMsOf, hostConfigOf } from "../../../local/host/host-json";
import { applyLocalSettings, resolveSettings } from "../../../local/host/settings";
import { TimerState } from "../../../local/host/timer-state";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corral-settings-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env["CORRAL_TEST_A"];
  delete process.env["CORRAL_TEST_B"];
});

it("takes settings from local.settings.json, unless the environment has them", () => {
  writeFileSync(
    join(folder, "local.settings.json"),
    JSON.stringify({ Values: { CORRAL_TEST_A: "file", CORRAL_TEST_B: "file" } }),
  );
  process.env["CORRAL_TEST_A"] = "environment";
  const settings = applyLocalSettings(folder);

  expect([settings["CORRAL_TEST_A"], settings["CORRAL_TEST_B"]]).toEqual(["environment", "file"]);
});

it("resolves settings inside a binding's text and names the one that is missing", () => {
  const settings = { QUEUE: "jobs" };

  expect(resolveSettings("a-%QUEUE%-b", "onJob", settings)).toBe("a-jobs-b");
  expect(() => resolveSettings("%NOWHERE%", "onJob", settings)).toThrow(/'onJob' needs the setting 'NOWHERE'/);
});

it.each([
  ["00:05:00", 300_000],
  ["1.00:00:00", 86_400_000],
  ["00:00:00.3", 300],
  ["-1", undefined],
  [7, undefined],
])("reads the time span %s", (text, expected) => {
  expect(durationMsOf(text)).toBe(expected);
});

it("reads what host.json says and keeps Azure's defaults for the rest", () => {
  const config = hostConfigOf({
    functionTimeout: "00:10:00",
    extensions: {
      durableTask: { hubName: "hub", overridableExistingInstanceStates: "AnyState" },
      serviceBus: { maxConcurrentCalls: 3 },
    },
  });

  expect(config).toMatchObject({
    http: { routePrefix: "api", maxOutstandingRequests: undefined },
    functionTimeoutMs: 600_000,
    durable: { hubName: "hub", overridable: "AnyState" },
    serviceBus: {
      maxConcurrentCalls: 3,
      autoComplete: true,
      retry: { timeoutInMs: 5_000, retryDelayInMs: 300, maxRetries: 20 },
    },
  });
});

it("remembers when timers ran", () => {
  const path = join(folder, "deep", "timers.json");
  new TimerState(path).set("nightly", { last: "a", next: "b" });

  expect(new TimerState(path).of("nightly")).toEqual({ last: "a", next: "b" });
  expect(new TimerState(path).of("other")).toBeUndefined();
});
