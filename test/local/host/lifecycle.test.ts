import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostLock } from "../../../local/host/host-lock";
import { TestApp, endAppsAfterEach, temporaryFolder } from "./support";
import { ended } from "../durable/orchestrations";

endAppsAfterEach();

const QUIET = { TICK: "0 0 0 1 1 *" };

it("loads an app of ES modules, with its orchestrations", async () => {
  const app = await TestApp.start("esm");
  const hello = await app.request("GET", "/api/hello");
  await app.request("POST", "/runtime/webhooks/durabletask/orchestrators/doubled/d1", { body: "21" });
  const { output } = await ended(app, "d1");

  expect(hello.text).toBe("hello from a module");
  expect(output).toBe(42);
});

it("refuses a port that is taken in one line that says what to do", async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, "127.0.0.1", () => resolve((taken.address() as AddressInfo).port)),
  );
  const app = TestApp.launch("esm", { port });
  const code = await app.exit();
  await new Promise((resolve) => taken.close(resolve));

  expect(code).toBe(1);
  expect(app.log.trim().split("\n")).toHaveLength(1);
  expect(app.log).toContain(`Port ${port} is already in use`);
});

it("keeps a second host away from the same data until the first is gone", async () => {
  const data = temporaryFolder();
  const lock = HostLock.acquire(data);
  const second = (): HostLock => HostLock.acquire(data, 0);

  expect(second).toThrow(/Another host works on/);
  lock.release();
  second().release();
  const app = await TestApp.start("esm", { data });
  expect(second).toThrow(/Another host works on/);
  await app.kill("SIGKILL");
  second().release();
});

it("refuses to start when a setting is missing, naming it and its function", async () => {
  const app = TestApp.launch("broken-setting");
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("Function 'nightly' needs the setting 'NIGHTLY_SCHEDULE'");
});

it("lets a request under way end at SIGTERM, runs the terminate hook and exits with 0", async () => {
  const app = await TestApp.start("triggers", { env: QUIET });
  const slow = app.request("GET", "/slow");
  await app.request("GET", "/greeting");
  const code = await app.kill("SIGTERM");
  const { text } = await slow;

  expect(text).toBe("slow but done");
  expect(app.log).toContain("hook appTerminate");
  expect(code).toBe(0);
});

it("ends with 1 when the app throws outside every handler, and says what", async () => {
  const app = await TestApp.start("triggers", { env: QUIET });
  await app.request("POST", "/crash").catch(() => undefined);
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("outside every handler");
});

it("ends with 1 when a function runs over its time, as Azure restarts its worker", async () => {
  const app = await TestApp.start("triggers", { env: QUIET });
  await app.request("GET", "/endless").catch(() => undefined);
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("exceeded by function: endless");
});

it("makes up for a timer's run that was missed while the host was down", async () => {
  const data = temporaryFolder();
  writeFileSync(
    join(data, "timers.json"),
    JSON.stringify({ yearly: { last: "2020-01-01T00:00:00.000Z", next: "2021-01-01T00:00:00.000Z" } }),
  );
  const first = await TestApp.start("triggers", { data, env: QUIET });
  const made = (await first.json("/seen/yearly")) as { timer: unknown }[];
  await first.kill("SIGTERM");
  const second = await TestApp.start("triggers", { data, env: QUIET });
  const again = await second.json("/seen/yearly");

  expect(made).toEqual([{ name: "yearly", timer: expect.objectContaining({ isPastDue: true }) as unknown }]);
  expect(again).toEqual([]);
});
