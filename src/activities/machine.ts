import { createHash, randomBytes } from "node:crypto";
import type { CreateVmOutcome, VmClient, VmRef } from "../azure/vm-client";
import { bootScriptOf } from "../domain/boot-script";
import {
  computeGroupOf,
  machineIdentityIdsOf,
  machineSubnetIdOf,
  machineTagsOf,
  nicNameOf,
  osDiskNameOf,
  vmNameOf,
} from "../domain/estate-names";
import type { InstanceClient, MachineRef } from "../domain/instances";
import type { MachineFailure, MachineRow, MachineTable } from "../state/machine-table";
import type { OfferingTable } from "../state/offering-table";
import type { OrganizationTable } from "../state/organization-table";
import type { Stored } from "../state/rows";
import type { MachineProgress } from "./contract";
import type { MachineAudit } from "./machine-audit";
import type { PlacementSteps } from "./placement-steps";
import type { Wake } from "./wake";

export interface MachineDeps {
  readonly machines: MachineTable;
  readonly organizations: OrganizationTable;
  readonly offerings: OfferingTable;
  readonly vms: VmClient;
  readonly steps: PlacementSteps;
  readonly machineAudit: MachineAudit;
  readonly wake: Wake;
  readonly estatePrefix: string;
  readonly deploymentId: string;
  readonly apiUrl: string;
  readonly createDeadlineSeconds: number;
  readonly registerDeadlineSeconds: number;
}

const BACKSTOP_SECONDS = 900;
const DELETE_POLL_SECONDS = 10;

const hashOf = (nonce: string): string => createHash("sha256").update(nonce).digest("hex");

export function vmRefOf(machine: MachineRow, estatePrefix: string): VmRef {
  const { org, machineId, offering } = machine;
  const { subscriptionId } = offering;
  return {
    subscriptionId,
    resourceGroup: computeGroupOf({ prefix: estatePrefix, org, subscriptionId }),
    vmName: vmNameOf(org, machineId),
  };
}

export function vmIdOf(machine: MachineRow, estatePrefix: string): string {
  const { subscriptionId, resourceGroup, vmName } = vmRefOf(machine, estatePrefix);
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${vmName}`;
}

/** What is known of a machine, for its orchestration. A machine without a row is as good as deleted. */
export function progressOf(
  machine: MachineRow | undefined,
  deps: Pick<MachineDeps, "createDeadlineSeconds" | "registerDeadlineSeconds">,
): MachineProgress {
  if (!machine) return { state: "Deleted", checkInSeconds: 0 };
  const { state } = machine;
  if (state === "Deleting") return { state, checkInSeconds: DELETE_POLL_SECONDS };
  if (state !== "Creating" && state !== "Booting") return { state, checkInSeconds: BACKSTOP_SECONDS };
  const allowedSeconds = deps.createDeadlineSeconds + (state === "Booting" ? deps.registerDeadlineSeconds : 0);
  const leftSeconds = Date.parse(machine.createdAt) / 1000 + allowedSeconds - Date.now() / 1000;
  return { state, checkInSeconds: Math.max(0, leftSeconds) };
}

/** From a machine's row to its VM. Each is safe to run again, also at the same time. */
export function createMachineActivities(deps: MachineDeps) {
  const creation = new MachineCreation(deps);
  return {
    readMachine: (ref: MachineRef): Promise<MachineProgress> => creation.read(ref),

    /** Sends the PUT of a machine's VM unless it was sent before; a refusal by Azure ends the machine and is remembered. */
    createVm: (ref: MachineRef, instances: InstanceClient): Promise<MachineProgress> => creation.create(ref, instances),

    /** Gives up a machine that did not come up; one that did in the meantime is kept. */
    failMachine: (
      { reason, ...ref }: MachineRef & { reason: string },
      instances: InstanceClient,
    ): Promise<MachineProgress> => creation.fail(ref, { kind: "boot", reason }, instances),
  };
}

class MachineCreation {
  constructor(private readonly deps: MachineDeps) {}

  async read({ org, machineId }: MachineRef): Promise<MachineProgress> {
    return progressOf((await this.deps.machines.find(org, machineId))?.value, this.deps);
  }

  /** An earlier run may have sent the PUT: then the VM is there with the nonce of that run, and is left alone. */
  private async wasSent(machine: MachineRow): Promise<boolean> {
    if (machine.nonceHash === undefined) return false;
    const vm = await this.deps.vms.find(vmRefOf(machine, this.deps.estatePrefix));
    return vm?.tags["corral:machine"] === machine.machineId;
  }

  private async put(machine: MachineRow, bootNonce: string): Promise<CreateVmOutcome> {
    const { org, machineId, offering } = machine;
    const organization = await this.deps.organizations.find(org);
    if (!organization) throw new Error(`createVm ${machineId}: no organization ${org}`);
    const { settings } = organization.value;
    const estate = { prefix: this.deps.estatePrefix, org, subscriptionId: offering.subscriptionId };
    return this.deps.vms.create({
      ...vmRefOf(machine, this.deps.estatePrefix),
      location: offering.location,
      vmSize: offering.vmSize,
      capacity: offering.capacity,
      image: settings.image,
      subnetId: machineSubnetIdOf(estate, offering.location),
      identityIds: machineIdentityIdsOf(estate, settings.machineIdentity),
      osDiskName: osDiskNameOf(org, machineId),
      nicName: nicNameOf(org, machineId),
      tags: machineTagsOf(this.deps.deploymentId, org, machineId),
      customData: bootScriptOf({ apiUrl: this.deps.apiUrl, org, machineId, bootNonce }),
      correlationId: this.deps.machineAudit.correlationIdOf(machine, "create"),
    });
  }

  /** The PUT between the two lines of the audit. */
  private async putAudited(machine: MachineRow, bootNonce: string): Promise<CreateVmOutcome> {
    const { machineAudit, estatePrefix } = this.deps;
    const target = vmIdOf(machine, estatePrefix);
    await machineAudit.intent(machine, "create", target);
    const outcome = await this.put(machine, bootNonce);
    const result =
      outcome.kind === "refused"
        ? ({ outcome: "refused", code: outcome.failure.code } as const)
        : ({ outcome: "succeeded" } as const);
    await machineAudit.outcome(machine, "create", { target, ...result });
    return outcome;
  }

  private async update(
    ref: MachineRef,
    change: (row: MachineRow) => MachineRow | undefined,
  ): Promise<MachineRow | undefined> {
    for (let tries = 0; tries < 5; tries += 1) {
      const machine = await this.deps.machines.find(ref.org, ref.machineId);
      const next = machine && change(machine.value);
      if (!machine || !next) return machine?.value;
      if ((await this.deps.machines.replace(machine, next)) === "replaced") return next;
    }
    throw new Error(`machine ${ref.machineId}: its row kept changing`);
  }

  async fail(ref: MachineRef, failure: MachineFailure, instances: InstanceClient): Promise<MachineProgress> {
    const row = await this.update(ref, (machine) =>
      machine.state === "Creating" || machine.state === "Booting"
        ? { ...machine, state: "Failed", failure }
        : undefined,
    );
    // Told again when this runs twice: whoever waits only looks at the rows once more.
    if (row?.state === "Failed") {
      await this.deps.steps.machineFailed(row, instances);
      await this.deps.wake.schedulerOf(instances, ref.org);
    }
    return progressOf(row, this.deps);
  }

  private async takeNonce(machine: Stored<MachineRow>, nonce: string): Promise<boolean> {
    return (await this.deps.machines.replace(machine, { ...machine.value, nonceHash: hashOf(nonce) })) === "replaced";
  }

  async create(ref: MachineRef, instances: InstanceClient): Promise<MachineProgress> {
    const machine = await this.deps.machines.find(ref.org, ref.machineId);
    if (machine?.value.state !== "Creating" || machine.value.putSentAt !== undefined)
      return progressOf(machine?.value, this.deps);
    const putSentAt = new Date().toISOString();
    const markSent = (row: MachineRow) => (row.putSentAt === undefined ? { ...row, putSentAt } : undefined);
    if (await this.wasSent(machine.value)) {
      const target = vmIdOf(machine.value, this.deps.estatePrefix);
      await this.deps.machineAudit.outcome(machine.value, "create", { target, outcome: "succeeded" });
      return progressOf(await this.update(ref, markSent), this.deps);
    }
    const nonce = randomBytes(24).toString("base64url");
    if (!(await this.takeNonce(machine, nonce))) throw new Error(`createVm ${ref.machineId}: its row changed`);
    const outcome = await this.putAudited(machine.value, nonce);
    switch (outcome.kind) {
      case "accepted":
        // Should a second run have replaced the hash meanwhile: the nonce of the VM that is there counts.
        return progressOf(
          await this.update(ref, (row) => ({ ...row, putSentAt, nonceHash: hashOf(nonce) })),
          this.deps,
        );
      case "exists":
        if (outcome.tags["corral:machine"] === ref.machineId)
          return progressOf(await this.update(ref, markSent), this.deps);
        return this.fail(
          ref,
          { kind: "capacity", reason: "a VM of that name is there which is not Corral's" },
          instances,
        );
      case "refused": {
        const { code, message, blockSeconds } = outcome.failure;
        const until = new Date(Date.now() + blockSeconds * 1000);
        await this.deps.offerings.block(machine.value.offering, `${code}: ${message}`.slice(0, 500), until);
        return this.fail(ref, { kind: "capacity", reason: `${code}: ${message}`.slice(0, 500) }, instances);
      }
    }
  }
}
