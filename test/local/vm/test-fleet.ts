import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createVmFleet, type VmFleet, type VmFleetOptions } from "../../../local/vm/fleet";
import type { HostedVm, IdentityTokens } from "../../../local/vm/hypervisor";
import { processesOf } from "../../../local/vm/processes";
import { builtFile } from "./build-folder";

export interface TestFleet {
  readonly fleet: VmFleet;
  readonly folder: string;
  readonly lines: string[];
  /** Closes the fleet, proves that nothing of it runs, and removes its folder. */
  close(): Promise<void>;
}

/** Tokens that say for whom and for what they are. */
export const namedTokens: IdentityTokens = {
  issueForIdentity: (identity, audience) =>
    Promise.resolve({
      accessToken: `${identity.clientId} for ${audience}`,
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
};

export function openTestFleet(options: Partial<VmFleetOptions> = {}): TestFleet {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "corral-fleet-")));
  const lines: string[] = [];
  const fleet = createVmFleet({
    folder,
    agentFile: builtFile("agent.js"),
    standInFile: builtFile("local/vm/docker-stand-in.js"),
    nodePath: process.execPath,
    tokens: namedTokens,
    bootSeconds: () => 0,
    log: (line) => lines.push(line),
    agentRestartMs: 50,
    agentEnvironment: { CORRAL_AGENT_RETRY_MS: "20", CORRAL_AGENT_GRACE_SECONDS: "1" },
    ...options,
  });
  return {
    fleet,
    folder,
    lines,
    close: async () => {
      await fleet.close();
      const left = processesOf(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      if (left.length > 0) throw new Error(`still running: ${left.join(", ")}`);
    },
  };
}

export function gpuVm(name: string, customData?: object | string): HostedVm {
  const text = typeof customData === "object" ? JSON.stringify(customData) : (customData ?? "");
  return {
    resourceId: `/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/${name}`,
    name,
    vmId: "3f1c2b7a-0000-4000-8000-000000000001",
    subscriptionId: "s1",
    resourceGroup: "rg",
    location: "westeurope",
    vmSize: "Standard_NC48ads_A100_v4",
    priority: "Spot",
    customData: Buffer.from(text).toString("base64"),
    tags: { "corral:org": "contoso" },
    identities: [userAssigned("machine")],
  };
}

export function userAssigned(name: string) {
  const resourceId = `/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
  return { kind: "user-assigned", resourceId, clientId: `client-${name}`, principalId: `principal-${name}` } as const;
}

/** Looks again until a state is reached that nobody announces: a file of another process, a process that ends. */
export async function eventually<Value>(look: () => Value | undefined | false): Promise<Value> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const value = look();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
  throw new Error(`did not come true: ${look.toString()}`);
}
