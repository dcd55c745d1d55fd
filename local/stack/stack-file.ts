import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { API_APP_ID, DEMO_ORG, SUBSCRIPTION_ID, TENANT_ID } from "./constants";
import type { Stack } from "./stack";

export const STACK_FILE = "stack.json";

/** How others find a running stack (contract 9). It holds the secrets of the embedded tenant's users, so only its owner may read it. */
export function writeStackFile(folder: string, stack: Stack): string {
  const { apiUrl, armUrl, authorityUrl, vaultUrl, caFile, serviceBus, faultsUrl, portalUrl, users } = stack.facts;
  const file = join(folder, STACK_FILE);
  const content = {
    apiUrl,
    armUrl,
    authorityUrl,
    vaultUrl,
    caFile,
    serviceBus,
    faultsUrl,
    portalUrl,
    tenantId: TENANT_ID,
    subscriptionId: SUBSCRIPTION_ID,
    audience: API_APP_ID,
    org: DEMO_ORG,
    users,
    pids: stack.pids,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  return file;
}

/** Whether the stack whose file lies there still runs. */
export function isStackAlive(folder: string): boolean {
  const file = join(folder, STACK_FILE);
  if (!existsSync(file)) return false;
  const { pids } = JSON.parse(readFileSync(file, "utf8")) as { pids?: { cloud?: number } };
  try {
    // Signal 0 asks whether the process is there and does nothing to it.
    return pids?.cloud !== undefined && process.kill(pids.cloud, 0);
  } catch {
    return false;
  }
}

/** Removes the file unless another stack has written its own there since. */
export function removeStackFile(file: string, cloudPid: number): void {
  if (!existsSync(file)) return;
  const { pids } = JSON.parse(readFileSync(file, "utf8")) as { pids?: { cloud?: number } };
  if (pids?.cloud === cloudPid) rmSync(file);
}
