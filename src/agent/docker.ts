import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand, type CommandOptions, type CommandResult } from "./command";

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly gpus: number;
  readonly mounts: readonly Mount[];
  readonly identity: "none" | "machine";
}

export interface ContainerState {
  readonly running: boolean;
  /** False for a container that was created and could not be started. */
  readonly started: boolean;
  readonly startedAt: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
}

/** The containers of this machine, as the agent needs them. */
export interface ContainerEngine {
  pull(image: string, signal: AbortSignal): Promise<CommandResult>;
  /** Starts a container and does not wait for its end. */
  start(container: ContainerSpec): Promise<CommandResult>;
  /** All that the container wrote from its start on. Resolves when it has ended, or earlier when the log broke off. */
  follow(name: string, onOutput: (chunk: Buffer) => void): Promise<void>;
  /** Resolves when the container has ended. */
  waitFor(name: string): Promise<void>;
  stateOf(name: string): Promise<ContainerState | undefined>;
  kill(name: string, signal: "TERM" | "KILL"): Promise<void>;
  remove(name: string): Promise<void>;
  /** Running containers, also those that a person started; undefined when Docker does not answer. */
  countRunning(): Promise<number | undefined>;
}

export interface DockerOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly stateFolder: string;
}

const MINUTE_MS = 60_000;
/**
 * Variables that Docker's client or its loader would obey itself. A job that names one of them gets it through a file that only
 * root may read, never through the client's environment: LD_PRELOAD or DOCKER_CONFIG there would run the job's code as root.
 */
const CLIENT_READS =
  /^(PATH|HOME|USER|SHELL|TMPDIR|LANG|LANGUAGE|TZ|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|NLSPATH|LOCPATH|GCONV_PATH|GLIBC_TUNABLES|NODE_.*|CORRAL_.*|LC_.*|LD_.*|MALLOC_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|COMPOSE_.*|MOBY_.*|OTEL_.*|XDG_.*|GO[A-Z]*|SSH_.*|SSL_.*|.*_PROXY)$/i;

/**
 * Docker by its command line.
 *
 * Which network keeps the machine's tokens from a job is the boot script's work, since only a filter on the host holds against root in
 * a container: in the chain DOCKER-USER it drops what goes to 169.254.169.254 and 168.63.129.16, and lets the first through again for
 * packets that come in by the bridge `br-corral-id` of the network `corral-identity`. The rules are set at each boot before the agent
 * starts. Jobs without an identity run on `bridge`, jobs with the machine's identity on `corral-identity`; none runs on the host's network.
 */
export function createDocker({ environment, stateFolder }: DockerOptions): ContainerEngine {
  const docker = (args: readonly string[], options: Partial<CommandOptions> = {}): Promise<CommandResult> =>
    runCommand("docker", args, { env: environment, ...options });
  return {
    pull: (image, signal) => docker(["pull", "--quiet", image], { signal, timeoutMs: 60 * MINUTE_MS }),
    start: async (container) => {
      const envFile = join(stateFolder, "container.env");
      const { args, inherited, fileText } = runArguments(container, envFile);
      if (fileText) writeFileSync(envFile, fileText, { mode: 0o600 });
      try {
        return await docker(args, { env: { ...inherited, ...environment }, timeoutMs: 10 * MINUTE_MS });
      } finally {
        rmSync(envFile, { force: true });
      }
    },
    follow: async (name, onOutput) => {
      await docker(["logs", "--follow", name], { onOutput });
    },
    waitFor: async (name) => {
      await docker(["wait", name]);
    },
    stateOf: async (name) => {
      const { code, stdout, stderr } = await docker(
        ["inspect", "--type", "container", "--format", "{{json .State}}", name],
        {
          timeoutMs: MINUTE_MS,
        },
      );
      if (code === 0) return containerStateOf(stdout);
      if (/no such (object|container)/i.test(stderr)) return undefined;
      throw new Error(`docker inspect ${name}: exit ${code}: ${stderr.trim()}`);
    },
    kill: async (name, signal) => {
      await docker(["kill", "--signal", signal, name], { timeoutMs: MINUTE_MS });
    },
    remove: async (name) => {
      await docker(["rm", "--force", name], { timeoutMs: MINUTE_MS });
    },
    countRunning: async () => {
      const { code, stdout } = await docker(["ps", "--quiet"], { timeoutMs: MINUTE_MS });
      return code === 0 ? stdout.split("\n").filter(Boolean).length : undefined;
    },
  };
}

/** Values never stand in the arguments: each process of the machine could read them there. */
export function runArguments(container: ContainerSpec, envFile: string) {
  const { name, image, command, env, gpus, mounts, identity } = container;
  const names = Object.keys(env);
  const byFile = names.filter((variable) => CLIENT_READS.test(variable));
  const inherited = names.filter((variable) => !CLIENT_READS.test(variable));
  const args = [
    // Not removed by itself: its end is read afterwards. `--init` makes SIGTERM reach a program that would ignore it as process 1.
    ...["run", "--detach", "--name", name, "--init", "--pull", "never"],
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--network", identity === "machine" ? "corral-identity" : "bridge"],
    // Docker's default of 64 MB is too little for the loaders of every training framework. Memory is taken only as it is used.
    ...["--shm-size", "8g"],
    ...["--log-driver", "json-file", "--log-opt", "max-size=64m"],
    ...(gpus > 0 ? ["--gpus", String(gpus)] : []),
    ...(byFile.length > 0 ? ["--env-file", envFile] : []),
    ...inherited.flatMap((variable) => ["-e", variable]),
    ...mounts.flatMap(({ hostPath, containerPath, readOnly }) => [
      "-v",
      `${hostPath}:${containerPath}${readOnly ? ":ro" : ""}`,
    ]),
    image,
    ...command,
  ];
  return {
    args,
    inherited: Object.fromEntries(inherited.map((variable) => [variable, env[variable] ?? ""])),
    // The file's form knows no line breaks; in variables of these names they have no meaning.
    fileText: byFile.map((variable) => `${variable}=${(env[variable] ?? "").replace(/[\r\n]+/g, " ")}\n`).join(""),
  };
}

function containerStateOf(json: string): ContainerState {
  // Docker's own output, in the form that its API documents.
  const state = JSON.parse(json) as Record<string, unknown>;
  return {
    running: state["Running"] === true,
    started: state["Status"] !== "created",
    startedAt: Date.parse(String(state["StartedAt"])),
    exitCode: Number(state["ExitCode"] ?? 0),
    oomKilled: state["OOMKilled"] === true,
    error: typeof state["Error"] === "string" ? state["Error"] : "",
  };
}
