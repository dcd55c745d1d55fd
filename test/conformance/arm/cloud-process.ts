// A process with the whole ARM simulator in it, which a test kills: `node -r typescript-hook.cjs cloud-process.ts FOLDER PORT`.
import { startAzure } from "../../../local/azure/azure";
import { FaultPlan } from "../../../local/faults/fault-plan";
import type { Hypervisor } from "../../../local/vm/hypervisor";
import { LOCATION, SUBSCRIPTION } from "../../local/azure/azure-fixture";
import { TENANT } from "../../local/azure/wire";

const [folder = "", port = "0", speed = "10000"] = process.argv.slice(2);

/** No machines below: what is asked of them is done at once. */
const hypervisor: Hypervisor = {
  powerOn: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  announcePreemption: () => Promise.resolve(),
};

async function main(): Promise<void> {
  const azure = await startAzure({
    dataFolder: folder,
    speed: Number(speed),
    ports: { https: Number(port), identity: 0, portal: 0 },
    hypervisor: () => hypervisor,
    faults: new FaultPlan(),
    tenantId: TENANT,
    subscriptionId: SUBSCRIPTION,
    locations: [LOCATION],
    gpuFamilyCores: 100,
    evictionNoticeSeconds: 0.05,
    sendsRetryAfter: false,
    throttling: false,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const owner = azure.addServicePrincipal({ displayName: "owner" });
  azure.grant({ principalId: owner.objectId, role: "Owner", scope: `/subscriptions/${SUBSCRIPTION}` });
  const { armUrl, portalUrl, caPem } = azure;
  process.send?.({ armUrl, portalUrl, caPem, owner });
}

void main();
