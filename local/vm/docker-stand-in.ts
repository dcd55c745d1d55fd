/**
 * Stands in for `docker` where there is none: exactly the subcommands and flags that the agent uses, with Docker's exit codes and words.
 * A container is a plain process of this computer in a folder of its VM; nothing isolates it. Paths of `-v` are replaced in arguments and
 * environment values, since there is no mount without root. Programs that leave their process group are found by their environment.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  isSubcommand,
  parseArguments,
  SYNTAX,
  UsageError,
  type ParsedArguments,
  type Subcommand,
} from "./container-arguments";
import { createLogReader, waitForEnd } from "./container-logs";
import { runContainer, type CommandEnd, type Surroundings } from "./container-run";
import { ContainerStore, type ContainerRecord } from "./container-store";
import { login, logout, pull } from "./image-pull";
import { isAlive, MARKER } from "./processes";

type Handler = (args: ParsedArguments, surroundings: Surroundings) => CommandEnd | Promise<CommandEnd>;

const SIGNALS = { TERM: "SIGTERM", KILL: "SIGKILL" } as const;

const HANDLERS: Readonly<Record<Subcommand, Handler>> = {
  pull,
  login,
  logout,
  run: runContainer,
  logs: async ({ values, rest: [name = ""] }, { store }) => {
    if (!store.find(name)) return notFound(name);
    const reader = createLogReader(store.logOf(name), (chunk) => process.stdout.write(chunk));
    if (values.has("--follow")) await waitForEnd(store, name, () => reader.read());
    reader.read();
    reader.close();
    return { code: 0 };
  },
  wait: async ({ rest: [name = ""] }, { store }) => {
    if (!store.find(name)) return notFound(name);
    await waitForEnd(store, name, () => undefined);
    const record = store.find(name);
    return record ? { code: 0, stdout: `${store.statusOf(record).ExitCode}\n` } : notFound(name);
  },
  kill: ({ values, rest: [name = ""] }, { store }) => {
    const signal = values.get("--signal")?.at(-1) ?? "KILL";
    if (signal !== "TERM" && signal !== "KILL") throw new UsageError(`invalid signal: ${signal}`);
    const record = store.find(name);
    if (!record) return notFound(name);
    if (!store.statusOf(record).Running || record.pid === undefined) {
      return {
        code: 1,
        stderr: `Error response from daemon: cannot kill container: ${name}: container ${record.id} is not running\n`,
      };
    }
    process.kill(-record.pid, SIGNALS[signal]);
    return { code: 0, stdout: `${name}\n` };
  },
  inspect: ({ values, rest: [name = ""] }, { store }) => {
    if (values.get("--format")?.at(-1) !== "{{json .State}}")
      throw new UsageError("the stand-in for docker inspects with --format '{{json .State}}' only");
    const record = store.find(name);
    return record
      ? { code: 0, stdout: `${JSON.stringify(store.statusOf(record))}\n` }
      : { code: 1, stderr: `error: no such object: ${name}\n` };
  },
  rm: async ({ values, rest: [name = ""] }, { store, vmFolder }) => {
    const record = store.find(name);
    if (!record) {
      // A client that was killed may have taken the name and nothing more.
      if (values.has("--force")) store.remove(name);
      return notFound(name);
    }
    if (store.statusOf(record).Running && !values.has("--force")) {
      return {
        code: 1,
        stderr: `Error response from daemon: cannot remove container "/${name}": container is running: stop the container before removing or force remove\n`,
      };
    }
    await endGroup(record, vmFolder);
    store.remove(name);
    return { code: 0, stdout: `${name}\n` };
  },
  ps: (_args, { store }) => ({
    code: 0,
    stdout: store
      .list()
      .filter((record) => store.statusOf(record).Running)
      .map(({ id }) => `${id.slice(0, 12)}\n`)
      .join(""),
  }),
};

async function main(): Promise<CommandEnd> {
  const vmFolder = process.env[MARKER];
  const osBootId = process.env["CORRAL_OS_BOOT_ID"];
  if (!vmFolder || !osBootId) throw new UsageError(`the stand-in for docker needs ${MARKER} and CORRAL_OS_BOOT_ID`);
  if (!existsSync(join(vmFolder, "power")))
    return { code: 1, stderr: "Cannot connect to the Docker daemon: the VM is off\n" };
  const [subcommand, ...args] = process.argv.slice(2);
  if (!isSubcommand(subcommand))
    throw new UsageError(
      `docker: '${subcommand ?? ""}' is not a docker command; the stand-in knows ${Object.keys(SYNTAX).join(" ")}`,
    );
  const store = new ContainerStore(vmFolder, osBootId);
  return HANDLERS[subcommand](parseArguments(subcommand, args), {
    store,
    vmFolder,
    osBootId,
    clientEnvironment: process.env,
  });
}

function notFound(name: string): CommandEnd {
  return { code: 1, stderr: `Error response from daemon: No such container: ${name}\n` };
}

async function endGroup({ pid }: ContainerRecord, vmFolder: string): Promise<void> {
  while (pid !== undefined && isAlive(pid, vmFolder)) {
    process.kill(-pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

main()
  .catch((error: unknown): CommandEnd => {
    if (error instanceof UsageError) return { code: 125, stderr: `${error.message}\n` };
    return {
      code: 125,
      stderr: `docker: Error response from daemon: ${error instanceof Error ? error.message : String(error)}\n`,
    };
  })
  .then(({ code, stdout = "", stderr = "" }) => {
    process.exitCode = code;
    process.stdout.write(stdout);
    process.stderr.write(stderr);
  })
  .catch(() => process.exit(125));
