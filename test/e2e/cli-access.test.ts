import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { writeStackFile } from "../../local/stack/stack-file";
import { nodeJob, TestStack } from "./test-stack";

const ROOT = resolve(__dirname, "..", "..");
const ROLE_FILE = join(ROOT, "test", "cli", "data", "data-scientist-custom.json");
const run = promisify(execFile);

let stack: TestStack;
let stackFile: string;
let stranger: string;
beforeAll(async () => {
  stack = await TestStack.start();
  stackFile = writeStackFile(stack.folder, stack.stack);
  stranger = stack.stack.facts.users.find(({ role }) => role === "Stranger")?.objectId ?? "";
}, 120_000);
afterAll(() => stack.close(), 60_000);

interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function corral(as: string, ...args: readonly string[]): Promise<CliEnd> {
  const cli = join(resolve(ROOT, process.env["CORRAL_BUILD"] ?? "dist"), "cli", "main.js");
  try {
    const { stdout, stderr } = await run(process.execPath, [cli, ...args, "--stack", stackFile, "--as", as]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as CliEnd;
    return { code, stdout, stderr };
  }
}

it("shares the organization with a stranger, who then sees what his role shows, and takes it back", async () => {
  const before = await corral("Stranger", "jobs");
  const shared = await corral("Owner", "share", "demo", "--principal", stranger, "--type", "ServicePrincipal");
  const after = await corral("Stranger", "jobs");
  const who = await corral("Stranger", "whoami", "--json");
  const cancelled = await corral("Stranger", "cancel", "any");
  const checked = await corral(
    ...(["Owner", "access", "check", "--principal", stranger] as const),
    ...(["--operation", "Corral/organizations/jobs/read"] as const),
  );
  const unshared = await corral("Owner", "unshare", "demo", "--principal", stranger);
  const again = await corral("Stranger", "jobs");

  expect([before, shared, after, cancelled, checked, unshared, again].map(({ code }) => code)).toEqual([
    1, 0, 0, 1, 0, 0, 1,
  ]);
  expect(JSON.parse(who.stdout)).toMatchObject({
    objectId: stranger,
    roles: [{ role: "Reader", scope: "/orgs/demo" }],
  });
  expect(checked.stdout).toMatch(/^allowed: Reader at \/orgs\/demo permits \*\/read/);
  expect(before.stderr).toMatch(/^corral: .*Forbidden.*corral share\)\n$/);
});

it("imports a role, gives it, and lets nobody delete it while somebody holds it", async () => {
  const imported = await corral("Owner", "roles", "import", ROLE_FILE);
  const role = ["--role", "data-scientist-custom"];
  await corral("Owner", "share", "demo", "--principal", stranger, "--type", "ServicePrincipal", ...role);
  const held = await corral("Owner", "roles", "delete", "data-scientist-custom");
  const machines = await corral("Stranger", "machines");
  const listed = await corral("Stranger", "roles", "list");
  await corral("Owner", "unshare", "demo", "--principal", stranger);
  const gone = await corral("Owner", "roles", "delete", "data-scientist-custom");

  expect([imported, held, machines, listed, gone].map(({ code }) => code)).toEqual([0, 1, 0, 1, 0]);
  expect(held.stderr).toContain("RoleInUse");
});

it("writes a role as it reads it", async () => {
  const role = {
    Name: "Watcher",
    IsCustom: true,
    Description: "sees machines",
    Actions: ["Corral/organizations/machines/read"],
    NotActions: [],
    AssignableScopes: ["/orgs/demo"],
  };
  const file = join(stack.folder, "watcher.json");
  writeFileSync(file, JSON.stringify(role));

  const created = await corral("Owner", "roles", "create", file);
  const shown = await corral("Owner", "roles", "show", "watcher");
  const listed = await corral("Owner", "roles", "list");
  await corral("Owner", "roles", "delete", "watcher");

  expect([created.code, created.stderr]).toEqual([0, ""]);
  expect(JSON.parse(shown.stdout)).toMatchObject({ id: "watcher", ...role });
  expect(listed.stdout).toMatch(/watcher +Watcher +custom +sees machines/);
});

it("finds the intent of every machine that Azure's log tells of", async () => {
  const file = join(stack.folder, "job.json");
  writeFileSync(file, JSON.stringify(nodeJob("audited", "")));
  const ran = await corral("Owner", "submit", file, "--wait");
  await stack.settled(["audited"]);

  const list = await corral(
    "Owner",
    "audit",
    "list",
    "--json",
    "--operation",
    "Microsoft.Compute/virtualMachines/write",
  );
  const verify = await corral("Owner", "audit", "verify", "--json");

  const entries = (JSON.parse(list.stdout) as { value: { phase: string }[] }).value;
  const { matched, findings, pending } = JSON.parse(verify.stdout) as Record<string, { act?: object }[]>;
  expect([ran.code, verify.code, verify.stderr, findings]).toEqual([0, 0, "", []]);
  expect(entries.map(({ phase }) => phase)).toEqual(expect.arrayContaining(["intent", "outcome"]));
  const acts = (matched ?? []).map(({ act }) => act);
  for (const verb of ["write", "delete"])
    expect(acts).toContainEqual(expect.objectContaining({ operation: `Microsoft.Compute/virtualMachines/${verb}` }));
  // What the owner laid down himself was no act of Corral's; nothing of a machine is among it.
  expect(pending).not.toContainEqual(
    expect.objectContaining({ operation: expect.stringMatching(/^Microsoft\.Compute/) as string }),
  );
});
