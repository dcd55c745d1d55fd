import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const root = resolve(__dirname, "..", "..", "..");
const LONGEST_WAIT_MS = 20_000;

export interface AppOptions {
  readonly data?: string;
  /** 0 by default; undefined leaves it to the app's own settings. */
  readonly port?: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments of the host. */
  readonly args?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A host process with one of the apps of test/apps in it. */
export class TestApp {
  private output = "";
  private readonly ended: Promise<number | NodeJS.Signals>;

  private constructor(
    private readonly child: ChildProcess,
    readonly data: string,
  ) {
    child.stderr?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((settle) => child.once("close", (code, signal) => settle(code ?? signal ?? 1)));
  }

  port = 0;

  /** Starts the host and waits until it is ready; rejects with its output when it ends before. */
  static async start(name: string, options: AppOptions = {}): Promise<TestApp> {
    const app = TestApp.launch(name, options);
    const ready = new Promise<number>((settle) =>
      app.child.once("message", (message) => settle((message as { port: number }).port)),
    );
    const port = await Promise.race([ready, app.ended.then(() => undefined)]);
    if (port === undefined) throw new Error(app.output);
    app.port = port;
    return app;
  }

  /** `name` is a folder of test/apps, or any folder by its whole path. */
  static launch(name: string, options: AppOptions = {}): TestApp {
    const { data = temporaryFolder(), env = {}, args: further = [] } = options;
    const port = "port" in options ? options.port : 0;
    const main = join(buildFolder(), "local", "host", "main.js");
    const args = [resolve(root, "test", "apps", name), "--data", data, ...further];
    if (port !== undefined) args.push("--port", String(port));
    const child = fork(main, args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, ...env },
      execArgv: [],
    });
    const app = new TestApp(child, data);
    running.add(app);
    return app;
  }

  get log(): string {
    return this.output;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.exit();
  }

  async exit(): Promise<number | NodeJS.Signals> {
    const result = await this.ended;
    running.delete(this);
    return result;
  }

  async request(
    method: string,
    path: string,
    init: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { method, ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Resolves once the host has said that; fails with all that it said when it never does. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const found = await until(
      () => pattern.exec(this.output),
      (match) => match !== null,
    ).catch(() => undefined);
    if (!found) throw new Error(`Nothing said of ${String(pattern)} in:\n${this.output}`);
    return found;
  }

  async json(path: string): Promise<unknown> {
    return JSON.parse((await this.request("GET", path)).text) as unknown;
  }
}

const running = new Set<TestApp>();
const folders: string[] = [];

/** One app for all tests of a file that do not disturb each other. */
export function sharedApp(name: string, options: AppOptions = {}): () => TestApp {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start(name, options);
  });
  afterAll(endAll);
  return () => app;
}

/** For files whose tests start apps of their own: nothing may run on after a test. */
export function endAppsAfterEach(): void {
  afterEach(endAll);
}

async function endAll(): Promise<void> {
  await Promise.all([...running].map((app) => app.kill("SIGKILL")));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "corral-test-"));
  folders.push(folder);
  return folder;
}

/** Asks until the answer satisfies, and fails with the last answer when it never does. */
export async function until<T>(ask: () => Promise<T> | T, satisfies: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`Waited in vain; the last answer was ${JSON.stringify(answer)}`);
    await pause(10);
  }
}

function buildFolder(): string {
  const folder = resolve(root, process.env["CORRAL_BUILD"] ?? "dist");
  if (!existsSync(join(folder, "local", "host", "main.js")))
    throw new Error(`${folder} holds no compiled host: run npm run build first`);
  return folder;
}
