import { restorePoller } from "@azure/arm-compute";
import { restorePoller as restoreGroupPoller } from "@azure/arm-resources";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  type AzureFixture,
  computeOf,
  createEstate,
  fast,
  GROUP,
  GROUP_ID,
  resourcesOf,
  SUBSCRIPTION,
  vmSpec,
} from "../../local/azure/azure-fixture";
import { call, closeWire, codeOf } from "../../local/azure/wire";
import { all, giveRole, locksOf, refusalOf, ROLES } from "./rights-clients";

/** The parts of a fixture that a cloud in another process has. */
type Cloud = Pick<AzureFixture, "azure" | "owner">;

const children: ChildProcess[] = [];
let folder: string;
let cloud: AzureFixture;

// At this speed a VM takes some seconds to come: long enough to be killed meanwhile, short enough to wait for.
const SPEED = "30";

async function start(port = "0"): Promise<void> {
  const execArgv = ["-r", join(__dirname, "../event-grid/typescript-hook.cjs")];
  const child = fork(join(__dirname, "cloud-process.ts"), [folder, port, SPEED], {
    execArgv,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  children.push(child);
  const [{ owner, ...azure }] = (await once(child, "message")) as [AzureFixture["azure"] & Pick<AzureFixture, "owner">];
  const started: Cloud = { azure, owner };
  // The clients need no more of a fixture than this.
  cloud = started as AzureFixture;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Ends the cloud without a word, and starts it again where its clients know it. */
async function crash(whileDead = (): void => undefined): Promise<void> {
  const { port } = new URL(cloud.azure.armUrl);
  closeWire(cloud.azure);
  for (const child of children.splice(0)) await kill(child);
  whileDead();
  await start(port);
}

/** A resource's properties as they lie on disk, read while no cloud runs. */
function storedProperties(id: string): unknown {
  const database = new DatabaseSync(join(folder, "azure.sqlite"), { readOnly: true });
  const stored = database.prepare("SELECT row FROM resources WHERE key = ?").get(id.toLowerCase());
  database.close();
  return (JSON.parse(String(stored?.["row"])) as { body: { properties: unknown } }).body.properties;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "corral-arm-crash-"));
  await start();
  await createEstate(cloud);
});
afterEach(async () => {
  closeWire(cloud.azure);
  for (const child of children.splice(0)) await kill(child);
  rmSync(folder, { recursive: true, force: true });
});

it("ends after a kill -9 the creation that was under way, for a poller that was written down (@azure/arm-compute 25.1.1; faults-and-invariants F11)", async () => {
  const first = computeOf(cloud).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  await first.submitted();
  const written = await first.serialize();

  let atTheKill: unknown;
  await crash(() => {
    atTheKill = storedProperties(`${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm-a`);
  });
  const compute = computeOf(cloud);
  const vm = await restorePoller(compute, written, compute.virtualMachines.createOrUpdate, fast);

  expect(atTheKill).toMatchObject({ provisioningState: "Creating", vmId: vm.vmId });
  expect(vm.provisioningState).toBe("Succeeded");
});

it("ends after a kill -9 the deletion of a group, once (@azure/arm-resources 8.0.0; faults-and-invariants F12)", async () => {
  const poller = resourcesOf(cloud).resourceGroups.delete(GROUP, fast);
  await poller.submitted();
  const written = await poller.serialize();

  await crash();
  const resources = resourcesOf(cloud);
  await restoreGroupPoller(resources, written, resources.resourceGroups.delete, fast);

  expect(codeOf(await call(cloud, { path: GROUP_ID }))).toBe("ResourceGroupNotFound");
  const left = await fetch(`${cloud.azure.portalUrl}/inventory`);
  expect(await left.json()).toEqual({ value: [] });
});

it("keeps resources, roles with their conditions, locks, policies and people over a kill -9 (@azure/arm-locks 2.1.0, @azure/arm-authorization 9.0.0)", async () => {
  const portal = (path: string, body: object, method = "POST") =>
    fetch(`${cloud.azure.portalUrl}${path}`, { method, body: JSON.stringify(body) });
  const user = (await (await portal("/entra/users", { displayName: "Ada" })).json()) as { id: string };
  const condition = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEquals 'User'";
  const given = await giveRole(cloud, {
    scope: GROUP_ID,
    role: ROLES.reader,
    to: { objectId: user.id },
    principalType: "User",
    condition,
    conditionVersion: "2.0",
  });
  await locksOf(cloud).managementLocks.createOrUpdateAtResourceGroupLevel(GROUP, "keep", { level: "CanNotDelete" });
  await portal("/policies/no-vms", { resourceTypes: ["Microsoft.Compute/virtualMachines"] }, "PUT");

  await crash();

  const kept = await call(cloud, { path: given.id ?? "" });
  expect(kept.body).toMatchObject({ properties: { condition, principalId: user.id } });
  expect(await all(locksOf(cloud).managementLocks.listAtSubscriptionLevel())).toMatchObject([{ name: "keep" }]);
  expect(await refusalOf(resourcesOf(cloud).resourceGroups.delete(GROUP, fast))).toMatchObject({ code: "ScopeLocked" });
  const put = computeOf(cloud).virtualMachines.createOrUpdate(GROUP, "vm-a", vmSpec("vm-a"), fast);
  expect(await refusalOf(put)).toMatchObject({ code: "RequestDisallowedByPolicy" });
  const users = (await (await fetch(`${cloud.azure.portalUrl}/entra/users`)).json()) as { value: { id: string }[] };
  expect(users.value).toMatchObject([{ id: user.id }]);
});

it("takes the token and the operation URL of before (docs: async-operations)", async () => {
  const started = await call(cloud, {
    method: "DELETE",
    path: `${GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet`,
  });
  const url = new URL(String(started.headers["azure-asyncoperation"]));
  const before = cloud;

  await crash();
  // The old cloud's clients: same port, same token.
  const followed = await call(before, { path: `${url.pathname}?s=${url.searchParams.get("s") ?? ""}` });

  expect([started.status, followed.status]).toEqual([202, 200]);
  expect(url.pathname.startsWith(`/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Network/`)).toBe(true);
});
