import { spawn } from "node:child_process";
import { createWriteStream, openSync, closeSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { killGroup } from "./processes";

export interface AgentProgram {
  readonly mode: "process" | "worker";
  readonly nodePath: string;
  readonly agentFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly pidFile: string;
  /** As systemd's RestartSec with Restart=always. */
  readonly restartMs: number;
}

export interface AgentProcess {
  /** Undefined while it waits for its restart, and in a worker thread. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface Running {
  readonly pid: number | undefined;
  readonly ended: Promise<void>;
  kill(): Promise<void>;
}

/** Runs the agent and starts it again whenever it ends, as its service manager does on a real VM. */
export function superviseAgent(program: AgentProgram, log: (line: string) => void): AgentProcess {
  const stopping = new AbortController();
  let running: Running | undefined;
  const isStopping = (): boolean => stopping.signal.aborted;
  const life = (async () => {
    while (!isStopping()) {
      running = program.mode === "process" ? startProcess(program) : startWorker(program);
      await running.ended;
      running = undefined;
      if (isStopping()) return;
      log(`the agent ended and is started again in ${program.restartMs} ms`);
      await sleep(program.restartMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    get pid() {
      return running?.pid;
    },
    stop: async () => {
      stopping.abort();
      await running?.kill();
      await life;
    },
  };
}

function startProcess({ nodePath, agentFile, env, logFile, pidFile }: AgentProgram): Running {
  const output = openSync(logFile, "a");
  // A group of its own: what the agent has just forked dies with it.
  const child = spawn(nodePath, [agentFile], { env, detached: true, stdio: ["ignore", output, output] });
  closeSync(output);
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  child.once("exit", () => resolve(undefined));
  child.once("error", () => resolve(undefined));
  return {
    pid: child.pid,
    ended: promise.then(() => undefined),
    kill: async () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
      await promise;
    },
  };
}

function startWorker({ agentFile, env, logFile }: AgentProgram): Running {
  const worker = new Worker(agentFile, { env: { ...env }, stdout: true, stderr: true });
  const output = createWriteStream(logFile, { flags: "a" });
  worker.stderr.pipe(output, { end: false });
  worker.stdout.pipe(output, { end: false });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  worker.once("exit", () => output.end(() => resolve(undefined)));
  // An uncaught error ends the thread; `exit` follows.
  worker.on("error", (error: unknown) => output.write(`${String(error)}\n`));
  return {
    pid: undefined,
    ended: promise.then(() => undefined),
    kill: async () => {
      await worker.terminate();
      await promise;
    },
  };
}
