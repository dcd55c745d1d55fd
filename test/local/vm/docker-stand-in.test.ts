import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killProcessesOf, processesOf } from "../../../local/vm/processes";
import { vmFolderOf, writeBootFiles, type VmFolder } from "../../../local/vm/vm-folder";
import { builtFile } from "./build-folder";
import { eventually, gpuVm } from "./test-fleet";

interface End {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let fleetFolder: string;
let vm: VmFolder;
beforeEach(() => {
  fleetFolder = realpathSync(mkdtempSync(join(tmpdir(), "corral-docker-")));
  boot("boot-1");
});
afterEach(async () => {
  await killProcessesOf(fleetFolder);
  rmSync(fleetFolder, { recursive: true, force: true });
});

function boot(osBootId: string): void {
  vm = vmFolderOf(fleetFolder, gpuVm("vm1").resourceId);
  const programs = { nodePath: process.execPath, standInFile: builtFile("local/vm/docker-stand-in.js") };
  writeBootFiles(vm, { vm: gpuVm("vm1"), osBootId, config: "{}" }, programs);
}

function program(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>();
  execFile(join(vm.bin, name), args, { env: { PATH: "/usr/bin:/bin", ...env } }, (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
  );
  return promise;
}

const docker = (...args: string[]): Promise<End> => program("docker", args);
const run = (...args: string[]): Promise<End> => docker("run", "--detach", "--name", "c1", ...args);
const SLEEPS = ["node", "-e", "setInterval(() => {}, 1000)"];

async function stateOf(name: string): Promise<Record<string, unknown>> {
  const { stdout } = await docker("inspect", "--type", "container", "--format", "{{json .State}}", name);
  return JSON.parse(stdout) as Record<string, unknown>;
}

it("runs a program and tells its log and exit code, as often as it is asked", async () => {
  await run("img", "sh", "-c", "echo out; echo err >&2; exit 3");

  const logs = await docker("logs", "--follow", "c1");
  const waits = [await docker("wait", "c1"), await docker("wait", "c1")];

  expect(logs.stdout).toBe("out\nerr\n");
  expect(waits.map(({ stdout }) => stdout)).toEqual(["3\n", "3\n"]);
  expect(await stateOf("c1")).toMatchObject({ Status: "exited", Running: false, ExitCode: 3, OOMKilled: false });
});

it("gives the program its own variables and none of the client's", async () => {
  writeFileSync(join(fleetFolder, "env"), "FROM_FILE=a=b\n");
  const args = [
    "run",
    "--detach",
    "--name",
    "c1",
    "--env-file",
    join(fleetFolder, "env"),
    "-e",
    "NAMED",
    "-e",
    "UNSET",
    "img",
  ];

  await program("docker", [...args, "node", "-p", "JSON.stringify(process.env)"], { NAMED: "n", OTHER: "o" });
  await docker("wait", "c1");

  const env = JSON.parse((await docker("logs", "c1")).stdout) as Record<string, string>;
  expect(env).toMatchObject({ FROM_FILE: "a=b", NAMED: "n" });
  expect(Object.keys(env).sort()).toEqual(["CORRAL_VM", "FROM_FILE", "HOME", "NAMED", "PATH", "PWD"]);
});

it("puts the volume's folder where arguments and variables name its path", async () => {
  const host = join(fleetFolder, "volume");
  mkdirSync(host);

  await program(
    "docker",
    [
      "run",
      "--detach",
      "--name",
      "c1",
      "-v",
      `${host}:/data`,
      "-e",
      "OUT",
      "img",
      "sh",
      "-c",
      'echo 1 > /data/a; echo 2 > "$OUT"',
    ],
    {
      OUT: "/data/b",
    },
  );
  await docker("wait", "c1");

  expect(readFileSync(join(host, "a"), "utf8")).toBe("1\n");
  expect(readFileSync(join(host, "b"), "utf8")).toBe("2\n");
});

it.each([
  { args: ["pull", "--quiet", "reg.io/a:does-not-exist"], code: 1, text: /manifest unknown/ },
  { args: ["pull", "--quiet", "reg.io/denied/a"], code: 1, text: /pull access denied/ },
  { args: ["pull", "--quiet", "Not A Reference"], code: 1, text: /invalid reference format/ },
  { args: ["pull", "--quiet", "reg.io:5000/team/app:1.2@sha256:" + "a".repeat(64)], code: 0, text: /^$/ },
  { args: ["run", "--detach", "--privileged", "img", "true"], code: 125, text: /unknown flag: --privileged/ },
  { args: ["run", "--detach", "img"], code: 125, text: /no command specified/ },
  { args: ["run", "--detach", "img", "no-such-program"], code: 127, text: /executable file not found in \$PATH/ },
  { args: ["exec", "c1", "sh"], code: 125, text: /not a docker command/ },
  { args: ["wait", "nobody"], code: 1, text: /No such container/ },
])("answers $args with $code", async ({ args, code, text }) => {
  const end = await docker(...args);

  expect(end.code).toBe(code);
  expect(end.stderr).toMatch(text);
});

it("refuses a name that is taken", async () => {
  await run("img", "true");

  const second = await run("img", "true");

  expect(second.code).toBe(125);
  expect(second.stderr).toContain('The container name "/c1" is already in use');
});

it.each([
  { signal: "TERM", exitCode: 143 },
  { signal: "KILL", exitCode: 137 },
])("ends a program by $signal with $exitCode", async ({ signal, exitCode }) => {
  await run("img", ...SLEEPS);

  await docker("kill", "--signal", signal, "c1");

  expect((await docker("wait", "c1")).stdout).toBe(`${exitCode}\n`);
  expect((await docker("kill", "--signal", signal, "c1")).stderr).toMatch(/is not running/);
});

it("lets a program answer to TERM itself", async () => {
  await run(
    "img",
    "node",
    "-e",
    "process.on('SIGTERM', () => process.exit(5)); console.log('up'); setInterval(() => {}, 1000)",
  );
  const log = join(vm.root, "containers", "c1", "output.log");
  await eventually(() => readFileSync(log, "utf8").includes("up"));

  await docker("kill", "--signal", "TERM", "c1");

  expect((await docker("wait", "c1")).stdout).toBe("5\n");
});

it("ends with the program whatever it left in the background", async () => {
  await run("img", "sh", "-c", "sleep 1000 & echo up");

  await docker("wait", "c1");

  await eventually(() => processesOf(vm.root).length === 0);
});

it("shows use of the GPUs and a running container only while there is one", async () => {
  const before = await program("nvidia-smi", ["--query-gpu=utilization.gpu"]);
  await run("img", ...SLEEPS);
  const during = [await program("nvidia-smi", []), await docker("ps", "--quiet")];
  await docker("rm", "--force", "c1");
  const after = [await program("nvidia-smi", []), await docker("ps", "--quiet")];

  expect(before.stdout).toBe("0\n0\n");
  expect(during[0]?.stdout).toBe("97\n97\n");
  expect(during[1]?.stdout).toMatch(/^[0-9a-f]{12}\n$/);
  expect(after.map(({ stdout }) => stdout)).toEqual(["0\n0\n", ""]);
});

it("counts no container of an earlier boot as running", async () => {
  await run("img", ...SLEEPS);
  await killProcessesOf(vm.root);

  boot("boot-2");

  expect(await stateOf("c1")).toMatchObject({ Running: false, ExitCode: 255 });
  expect((await docker("ps", "--quiet")).stdout).toBe("");
});

it("starts nothing on a VM that is off", async () => {
  rmSync(vm.power);

  expect(await run("img", "true")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("the VM is off") as string,
  });
});
