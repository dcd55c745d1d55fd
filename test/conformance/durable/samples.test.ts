import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestApp, until } from "../../local/host/support";
import { compiledApp } from "../host/app-folder";
import type { Status } from "./lab";

/** What a start answers: links that a caller follows, and nothing that he builds himself. */
interface Links {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
  readonly purgeHistoryDeleteUri: string;
  readonly suspendPostUri: string;
  readonly resumePostUri: string;
}

const languages = ["JavaScript", "TypeScript"] as const;
type Language = (typeof languages)[number];
const apps = new Map<Language, TestApp>();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-samples-"));
  apps.set("JavaScript", await TestApp.start("durable-javascript"));
  apps.set("TypeScript", await TestApp.start(compiledApp("durable-typescript")));
}, 60_000);

afterAll(async () => {
  for (const app of apps.values()) await app.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

function appOf(language: Language): TestApp {
  const app = apps.get(language);
  if (!app) throw new Error(`there is no app in ${language}`);
  return app;
}

async function start(language: Language, name: string, input?: unknown): Promise<Links> {
  const body = input === undefined ? undefined : JSON.stringify(input);
  const answer = await appOf(language).request(
    "POST",
    `/api/orchestrators/${name}`,
    body === undefined ? {} : { body },
  );
  expect(answer.status).toBe(202);
  expect(answer.headers.get("location")).toContain("/runtime/webhooks/durabletask/instances/");
  return JSON.parse(answer.text) as Links;
}

const statusOf = async ({ statusQueryGetUri }: Links): Promise<Status> =>
  (await (await fetch(statusQueryGetUri)).json()) as Status;

const ended = (links: Links): Promise<Status> =>
  until(
    () => statusOf(links),
    ({ runtimeStatus }) => ["Completed", "Failed", "Terminated"].includes(runtimeStatus),
  );

async function raise({ sendEventPostUri }: Links, event: string, data: unknown): Promise<void> {
  const response = await fetch(sendEventPostUri.replace("{eventName}", event), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(data),
  });
  expect(response.status).toBe(202);
}

it.each(languages)(
  "says hello in sequence in %s (docs: Durable Functions samples, function chaining)",
  async (language) => {
    const status = await ended(await start(language, "helloSequence"));

    expect(status.output).toEqual(["Hello, Tokyo!", "Hello, Seattle!", "Hello, Cairo!"]);
    expect(status.runtimeStatus).toBe("Completed");
  },
);

it.each(languages)(
  "measures the files of a folder side by side in %s (docs: Durable Functions samples, fan-out/fan-in)",
  async (language) => {
    const files = mkdtempSync(join(folder, "files-"));
    for (let index = 0; index < 12; index += 1) writeFileSync(join(files, `${index}.txt`), "x".repeat(index));
    const status = await ended(await start(language, "folderSize", files));

    expect(status.output).toEqual({ files: 12, bytes: 66 });
  },
);

it.each(languages)(
  "watches by durable timers until a file is there in %s (docs: Durable Functions samples, monitor)",
  async (language) => {
    const file = join(folder, `${language}.ready`);
    const links = await start(language, "monitor", { file, everyMs: 50, forMs: 20_000 });
    await until(
      () => statusOf(links),
      ({ customStatus }) => ((customStatus as { looks?: number } | null)?.looks ?? 0) >= 2,
    );
    writeFileSync(file, "");

    expect((await ended(links)).output).toMatchObject({ found: true });
  },
);

it.each(languages)(
  "ends its watch when time is up in %s (docs: Durable Functions samples, monitor)",
  async (language) => {
    const input = { file: join(folder, "never"), everyMs: 30, forMs: 100 };

    expect((await ended(await start(language, "monitor", input))).output).toMatchObject({ found: false });
  },
);

it.each(languages)(
  "takes a person's answer before the deadline in %s (docs: Durable Functions samples, human interaction)",
  async (language) => {
    const links = await start(language, "verification", { seconds: 60 });
    await raise(links, "answer", links.id.slice(0, 4));

    expect((await ended(links)).output).toEqual({ verified: true, why: "answered" });
  },
);

it.each(languages)(
  "goes on without a person who does not answer in %s (docs: Durable Functions samples, human interaction)",
  async (language) => {
    const links = await start(language, "verification", { seconds: 0.2 });

    expect((await ended(links)).output).toEqual({ verified: false, why: "too late" });
  },
);

it.each(languages)(
  "counts in an entity, by signals and by an orchestration in %s (docs: Durable entities, counter)",
  async (language) => {
    const app = appOf(language);
    const missing = await app.request("GET", "/api/counters/new");
    for (const amount of [1, 2, 4]) await app.request("POST", `/api/counters/steps?amount=${amount}`);
    const counted = await until(
      () => app.request("GET", "/api/counters/steps"),
      ({ text }) => text === "7",
    );
    const doubled = await ended(await start(language, "doubleCounter", "steps"));

    expect([missing.status, counted.status]).toEqual([404, 200]);
    expect(doubled.output).toBe(14);
  },
);

it.each(languages)(
  "goes round for ever until it is told to stop in %s (docs: Eternal orchestrations)",
  async (language) => {
    const links = await start(language, "periodic", { everyMs: 30 });
    await until(
      () => statusOf(links),
      ({ customStatus }) => ((customStatus as { round?: number } | null)?.round ?? 0) >= 3,
    );
    await raise(links, "stop", null);
    const { runtimeStatus, output } = await ended(links);

    expect(runtimeStatus).toBe("Completed");
    expect((output as { rounds: number }).rounds).toBeGreaterThanOrEqual(3);
  },
);

it.each(languages)(
  "leaves parts to children and tries failed ones again in %s (docs: Sub-orchestrations)",
  async (language) => {
    const status = await ended(await start(language, "provisionDevices", ["one", "flaky", "two"]));

    expect(status.output).toEqual(["one is ready", "flaky is ready", "two is ready"]);
  },
);

it.each(languages)(
  "is suspended, resumed, ended and purged by the links of its start in %s (docs: HTTP API reference)",
  async (language) => {
    const links = await start(language, "verification", { seconds: 600 });
    const post = (uri: string) => fetch(uri.replace("{text}", "because"), { method: "POST" });
    await post(links.suspendPostUri);
    await until(
      () => statusOf(links),
      ({ runtimeStatus }) => runtimeStatus === "Suspended",
    );
    await post(links.resumePostUri);
    await until(
      () => statusOf(links),
      ({ runtimeStatus }) => runtimeStatus === "Running",
    );
    await post(links.terminatePostUri);
    const terminated = await ended(links);
    const purged = await fetch(links.purgeHistoryDeleteUri, { method: "DELETE" });

    expect(terminated).toMatchObject({ runtimeStatus: "Terminated", output: "because" });
    expect(purged.status).toBe(200);
    expect((await fetch(links.statusQueryGetUri)).status).toBe(404);
  },
);
