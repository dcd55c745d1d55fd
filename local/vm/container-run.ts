import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError, type ParsedArguments } from "./container-arguments";
import type { ContainerStore } from "./container-store";
import { missingImageOf } from "./image-pull";
import { imageProblemOf } from "./image-reference";
import { bindMountOf, withHostPaths, type BindMount } from "./mount-paths";
import { MARKER } from "./processes";
import { containerBinOf, SYSTEM_PATH } from "./vm-folder";

export interface Surroundings {
  readonly store: ContainerStore;
  readonly vmFolder: string;
  readonly osBootId: string;
  /** The client's own environment, for `-e NAME`. */
  readonly clientEnvironment: Readonly<Record<string, string | undefined>>;
}

export interface CommandEnd {
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/**
 * Leads the container's process group and notes how its program ended. When the program is over, so is whatever it left behind.
 * A shell, since one waits for each running job: a Node process each would cost 40 MB. It hands on variables with plain names only.
 */
const LEADER = `exit_file=$1; echo "$$" > "$2"; shift 2
trap : TERM INT HUP
"$@" &
child=$!
while :; do wait "$child"; code=$?; kill -0 "$child" 2>/dev/null || break; done
echo "$code" > "$exit_file"
kill -KILL 0`;

/** `docker run --detach`: the program as a plain process of this computer. */
export function runContainer({ values, rest }: ParsedArguments, surroundings: Surroundings): CommandEnd {
  const { store, osBootId } = surroundings;
  const [image, ...command] = rest;
  if (image === undefined) throw new UsageError("docker run requires at least 1 argument");
  if (!values.has("--detach")) throw new UsageError("the stand-in for docker runs with --detach only");
  const problem = imageProblemOf(image);
  if (problem) return refused(problem);
  // The agent pulls first, and runs with `--pull never`: what was not pulled is not there.
  const missing = missingImageOf(image, surroundings.vmFolder);
  if (missing) return refused(missing);
  const [program] = command;
  // No image is ever read, so none has an entrypoint or a command of its own.
  if (program === undefined) return refused("Error response from daemon: no command specified");
  const id = randomBytes(32).toString("hex");
  const name = values.get("--name")?.at(-1) ?? id.slice(0, 12);
  if (!/^[a-zA-Z0-9][\w.-]+$/.test(name))
    return refused(`Error response from daemon: Invalid container name (${name})`);
  const mounts = (values.get("-v") ?? []).map(mountOf);
  const env = environmentOf({ values, mounts, name }, surroundings);
  if (!store.create(name)) {
    return refused(
      `Error response from daemon: Conflict. The container name "/${name}" is already in use by container "${store.find(name)?.id ?? ""}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }
  const args = command.map((argument) => withHostPaths(argument, mounts));
  if (!isFound(args[0] ?? "", env["PATH"] ?? "", store.workFolderOf(name))) {
    const reason = `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "${program}": executable file not found in $PATH`;
    store.save({ id, name, osBootId, exitCode: 127, error: reason });
    return { code: 127, stderr: `docker: Error response from daemon: ${reason}\n` };
  }
  const record = { id, name, osBootId };
  store.save(record);
  const output = openSync(store.logOf(name), "a");
  const child = spawn("/bin/sh", ["-c", LEADER, "container", store.exitFileOf(name), store.pidFileOf(name), ...args], {
    cwd: store.workFolderOf(name),
    env,
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  if (child.pid === undefined) return refused("Error response from daemon: /bin/sh could not be started");
  store.save({ ...record, pid: child.pid, startedAt: new Date().toISOString() });
  return { code: 0, stdout: `${id}\n` };
}

interface EnvironmentRequest {
  readonly values: ParsedArguments["values"];
  readonly mounts: readonly BindMount[];
  readonly name: string;
}

function environmentOf(
  { values, mounts, name }: EnvironmentRequest,
  { store, vmFolder, clientEnvironment }: Surroundings,
) {
  const asked = (values.get("--env-file") ?? []).flatMap(linesOf).concat(values.get("-e") ?? []);
  const given = asked.flatMap((entry) => {
    const [variable = "", ...parts] = entry.split("=");
    const value = parts.length > 0 ? parts.join("=") : clientEnvironment[variable];
    return value === undefined ? [] : [[variable, withHostPaths(value, mounts)] as const];
  });
  const own = {
    PATH: `${containerBinOf(vmFolder)}:${dirname(process.execPath)}:${SYSTEM_PATH}`,
    HOME: store.workFolderOf(name),
  };
  // The marker last: by it alone the fleet finds what it may kill.
  return { ...own, ...Object.fromEntries(given), [MARKER]: vmFolder } as Record<string, string>;
}

function mountOf(text: string): BindMount {
  const mount = bindMountOf(text);
  if (!mount) throw new UsageError(`invalid volume specification: ${text}`);
  return mount;
}

function linesOf(envFile: string): string[] {
  return readFileSync(envFile, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

function isFound(program: string, path: string, folder: string): boolean {
  const candidates = program.includes("/")
    ? [join(program.startsWith("/") ? "/" : folder, program)]
    : path.split(":").map((entry) => join(entry, program));
  return candidates.some((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}

function refused(message: string): CommandEnd {
  return { code: 125, stderr: `docker: ${message}\n` };
}
