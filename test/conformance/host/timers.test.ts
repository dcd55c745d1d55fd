import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TestApp, endAppsAfterEach, temporaryFolder, until } from "../../local/host/support";

interface Run {
  readonly name: string;
  readonly retry: {
    readonly retryCount: number;
    readonly maxRetryCount: number;
    readonly exception: { readonly message: string };
  } | null;
}

endAppsAfterEach();

async function runsOf(app: TestApp, name: string, count: number): Promise<Run[]> {
  return until(
    async () => ((await app.json("/runs")) as Run[]).filter((run) => run.name === name),
    ({ length }) => length >= count,
  );
}

it("runs a timer again after a fixed delay until it succeeds, and tells it how often and why (docs: Azure Functions error handling and retries, fixed delay)", async () => {
  const app = await TestApp.start("timer-retry");
  const runs = await runsOf(app, "recovers", 3);
  await app.said(/Executed 'Functions\.recovers' \(Succeeded/);

  expect(runs.map(({ retry }) => retry && [retry.retryCount, retry.maxRetryCount])).toEqual([null, [1, 4], [2, 4]]);
  expect(runs[2]?.retry?.exception.message).toMatch(/^run \d+ of recovers$/);
});

it("gives a timer up after its last retry, and says so (docs: Azure Functions error handling and retries, max retry count)", async () => {
  const app = await TestApp.start("timer-retry");
  const runs = await runsOf(app, "givesUp", 3);
  await app.said(/Function execution failed after '2' retries\./);

  expect(runs.map(({ retry }) => retry?.retryCount)).toEqual([undefined, 1, 2]);
});

it("does not run a failed timer again without a policy (docs: Azure Functions timer trigger, retry behavior)", async () => {
  const app = await TestApp.start("timer-retry");
  await app.said(/Executed 'Functions\.noPolicy' \(Failed/);
  await app.said(/Function execution failed after '2' retries\./);
  const runs = await runsOf(app, "noPolicy", 1);

  expect(runs).toHaveLength(1);
});

it("warns of a retry policy on another trigger and runs it once (docs: Azure Functions error handling and retries, supported triggers)", async () => {
  const app = await TestApp.start("timer-retry");
  const { status } = await app.request("GET", "/withPolicy");
  const runs = await runsOf(app, "withPolicy", 1);

  expect(status).toBe(500);
  expect(runs).toEqual([{ name: "withPolicy", retry: null }]);
  await app.said(/Retries are not supported for function 'Functions\.withPolicy'\./);
});

it("runs a timer when its holder asks for it (docs: Manually run a non HTTP-triggered function)", async () => {
  const app = await TestApp.start("timer-retry");
  const { status } = await app.request("POST", "/admin/functions/manual", { body: JSON.stringify({ input: "" }) });
  const runs = await runsOf(app, "manual", 1);

  expect(status).toBe(202);
  expect(runs).toHaveLength(1);
});

it("says why a timer runs (azure-webjobs-sdk-extensions, timer trigger)", async () => {
  const app = await TestApp.start("timer-retry");
  const [, at] = await app.said(/Executing 'Functions\.recovers' \(Reason='Timer fired at ([^']+)', Id=/);

  expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$/);
});

it("keeps when a timer ran over a restart (docs: Azure Functions timer trigger, useMonitor)", async () => {
  const data = temporaryFolder();
  const stateOf = (): Record<string, { last: string; next: string }> =>
    JSON.parse(readFileSync(join(data, "timers.json"), "utf8")) as Record<string, { last: string; next: string }>;
  const first = await TestApp.start("timer-retry", { data });
  await first.said(/Executed 'Functions\.noPolicy' \(Failed/);
  await until(stateOf, (state) => state["noPolicy"] !== undefined);
  const { manual: before } = stateOf();
  await first.kill("SIGKILL");
  const second = await TestApp.start("timer-retry", { data });
  await second.said(/Executed 'Functions\.noPolicy' \(Failed/);
  const { manual: after } = stateOf();

  expect(after).toEqual(before);
});
