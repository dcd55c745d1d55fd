import type { VmClient, VmStatus } from "../azure/vm-client";
import { classifyCreateFailure } from "../domain/arm-failure";
import { computeGroupOf, vmNameOf } from "../domain/estate-names";
import type { InstanceClient, MachineRef, SubscriptionRef } from "../domain/instances";
import { type PlacementDecision, planPlacement } from "../domain/placement";
import type { LeaseTable } from "../state/lease-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { OfferingTable } from "../state/offering-table";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import type { JobTable, LiveJob } from "../state/job-table";
import type { Stored } from "../state/rows";
import type { PlacementPass, SchedulerEpoch } from "./contract";
import type { OrgView, PlacementSteps } from "./placement-steps";
import type { QuotaView } from "./quota";
import type { Wake } from "./wake";

export interface PlacementDeps {
  readonly leases: LeaseTable;
  readonly organizations: OrganizationTable;
  readonly jobs: JobTable;
  readonly machines: MachineTable;
  readonly offerings: OfferingTable;
  readonly vms: VmClient;
  readonly quota: QuotaView;
  readonly steps: PlacementSteps;
  readonly wake: Wake;
  readonly estatePrefix: string;
}

/** How often created VMs are looked at, with one list for all of a subscription. */
const OBSERVE_SECONDS = 5;
const WAITING_SECONDS = 15;
const IDLE_SECONDS = 300;

const isWaiting = ({ state }: LiveJob): boolean => state === "Queued" || state === "Placing";
const isComing = ({ state }: MachineRow): boolean => state === "Creating" || state === "Booting";

/** Its machine failed to boot or is gone: first its own run has to count that attempt, or a budget would never be used up. */
function isUncounted(job: LiveJob, machines: readonly MachineRow[]): boolean {
  const machine = machines.find(({ machineId }) => machineId === job.machineId);
  return job.state === "Placing" && (machine === undefined || machine.failure?.kind === "boot");
}

/** An agent may register before Azure calls the creation done: then the time of the creation is still to be learned. */
const isUnobserved = ({ state, putSentAt, vmSucceededAt }: MachineRow): boolean =>
  putSentAt !== undefined && vmSucceededAt === undefined && OBSERVABLE.has(state);
const OBSERVABLE: ReadonlySet<MachineRow["state"]> = new Set(["Creating", "Booting", "Idle", "Leased"]);

/** The scheduler's activities. Whatever a pass left half done is seen by the next one in the rows, and completed. */
export function createPlacementActivities(deps: PlacementDeps) {
  const placement = new Placement(deps);
  return {
    takeScheduler: (ref: SubscriptionRef & { holder: string }): Promise<number> => placement.takeScheduler(ref),
    placeJobs: (ref: SchedulerEpoch): Promise<PlacementPass> => placement.pass(ref),
    observeMachines: (ref: SubscriptionRef, instances: InstanceClient): Promise<void> =>
      placement.observe(ref, instances),
    startMachine: (ref: MachineRef, instances: InstanceClient): Promise<void> => deps.wake.start(instances, ref),
  };
}

class Placement {
  private readonly lastObservedAt = new Map<string, number>();

  constructor(private readonly deps: PlacementDeps) {}

  private isObserveDue(subscriptionId: string): boolean {
    const due = Date.now() - (this.lastObservedAt.get(subscriptionId) ?? 0) >= OBSERVE_SECONDS * 1000;
    if (due) this.lastObservedAt.set(subscriptionId, Date.now());
    return due;
  }

  private async plan(subscriptionId: string, view: OrgView): Promise<PlacementDecision[]> {
    const { locations, limits } = view.organization.settings;
    const waiting = view.jobs.filter(isWaiting);
    if (waiting.length === 0) return [];
    const rows = view.machines.map(({ value }) => value);
    const now = new Date();
    const [blocked] = await Promise.all([
      Promise.all(locations.map((location) => this.deps.offerings.listBlocked(subscriptionId, location, now))),
      this.deps.quota.refresh(subscriptionId, locations, { afterNo: false }),
    ]);
    const decide = () =>
      planPlacement({
        subscriptionId,
        locations,
        jobs: waiting
          .filter((job) => !isUncounted(job, rows))
          .map((job) => ({ ...job, state: job.state === "Placing" ? "Placing" : "Queued" })),
        machines: rows.flatMap(({ machineId, state, offering }) =>
          state === "Creating" || state === "Booting" || state === "Idle" ? [{ machineId, state, offering }] : [],
        ),
        machinesLeft: limits.machines - rows.length,
        runningJobsLeft: limits.runningJobs - (view.jobs.length - waiting.length),
        blocked: blocked.flat(),
        coresLeft: (location, row) => this.deps.quota.coresLeft(rows, subscriptionId, { location, row }),
      });
    const first = decide();
    const short = first.some((decision) => decision.kind === "wait" && decision.waitingFor.startsWith("quota"));
    if (!short || !(await this.deps.quota.refresh(subscriptionId, locations, { afterNo: true }))) return first;
    return decide();
  }

  private async view(organization: OrganizationRow): Promise<OrgView> {
    const [jobs, machines] = await Promise.all([
      this.deps.jobs.listLive(organization.org),
      this.deps.machines.listLive(organization.org),
    ]);
    return { organization, jobs, machines };
  }

  private async holdsEpoch({ subscriptionId, epoch }: SchedulerEpoch): Promise<boolean> {
    return (await this.deps.leases.findScheduler(subscriptionId))?.value.epoch === epoch;
  }

  private async mine(subscriptionId: string): Promise<OrganizationRow[]> {
    return (await this.deps.organizations.list()).filter(({ settings }) => settings.subscriptionId === subscriptionId);
  }

  /** Makes the caller the scheduler of the subscription; whoever was it before is fenced off at its next pass. */
  async takeScheduler({ subscriptionId, holder }: SubscriptionRef & { holder: string }): Promise<number> {
    const before = await this.deps.leases.findScheduler(subscriptionId);
    if (before?.value.holder === holder) return before.value.epoch;
    const epoch = (before?.value.epoch ?? 0) + 1;
    const row = { subscriptionId, epoch, holder };
    const written = before
      ? await this.deps.leases.replaceScheduler(before, row)
      : await this.deps.leases.insertScheduler(row);
    if (written === "stale" || written === "exists")
      throw new Error(`takeScheduler ${subscriptionId}: somebody else took it`);
    return epoch;
  }

  /** One pass: leases idle machines to waiting jobs and writes the rows of machines that are to be created. */
  async pass(ref: SchedulerEpoch): Promise<PlacementPass> {
    const [held, organizations] = await Promise.all([this.holdsEpoch(ref), this.mine(ref.subscriptionId)]);
    if (!held) return { fenced: true, machines: [], observe: false, nextPassSeconds: 0 };
    const machines: MachineRef[] = [];
    let waiting = false;
    let coming = false;
    let sent = false;
    for (const organization of organizations) {
      let seen = await this.view(organization);
      // What was healed is not what was seen: a job that has its machine now must not get another.
      if (await this.deps.steps.heal(organization.org, seen)) seen = await this.view(organization);
      const decisions = await this.plan(ref.subscriptionId, seen);
      const created = await this.deps.steps.carryOut(organization.org, seen, decisions);
      machines.push(...created, ...neverSent(seen.machines));
      waiting ||= seen.jobs.some(isWaiting);
      coming ||= created.length > 0 || seen.machines.some(({ value }) => isComing(value));
      sent ||= seen.machines.some(({ value }) => isUnobserved(value));
    }
    const observe = sent && this.isObserveDue(ref.subscriptionId);
    return { fenced: false, machines, observe, nextPassSeconds: nextPassIn(waiting, coming || sent) };
  }

  /** Compares one list of all VMs of the subscription with the machines that are coming up. */
  async observe({ subscriptionId }: SubscriptionRef, instances: InstanceClient): Promise<void> {
    const statuses = new Map((await this.deps.vms.listStatus(subscriptionId)).map((status) => [keyOf(status), status]));
    for (const { org } of await this.mine(subscriptionId)) {
      const resourceGroup = computeGroupOf({ prefix: this.deps.estatePrefix, org, subscriptionId });
      for (const machine of await this.deps.machines.listLive(org)) {
        const status = statuses.get(keyOf({ resourceGroup, vmName: vmNameOf(org, machine.value.machineId) }));
        const changed = status && observed(machine.value, status);
        if (!changed) continue;
        if (changed.failure?.kind === "capacity") await this.block(changed, status);
        if ((await this.deps.machines.replace(machine, changed)) === "replaced" && changed.state === "Failed") {
          await this.deps.steps.machineFailed(changed, instances);
        }
      }
    }
  }

  /** What could not be allocated a moment ago is not bought again at once. */
  private async block({ offering, failure }: MachineRow, { failureCode = "" }: VmStatus): Promise<void> {
    const { blockSeconds } = classifyCreateFailure(200, failureCode, "");
    const until = new Date(Date.now() + blockSeconds * 1000);
    await this.deps.offerings.block(offering, failure?.reason ?? failureCode, until);
  }
}

function nextPassIn(waiting: boolean, coming: boolean): number {
  if (coming) return OBSERVE_SECONDS;
  return waiting ? WAITING_SECONDS : IDLE_SECONDS;
}

const keyOf = ({ resourceGroup, vmName }: Pick<VmStatus, "resourceGroup" | "vmName">): string =>
  `${resourceGroup}/${vmName}`.toLowerCase();

/** Machines whose PUT was not sent yet: their run may not have been started when the last pass was cut off. */
function neverSent(machines: readonly Stored<MachineRow>[]): MachineRef[] {
  return machines
    .filter(({ value }) => value.state === "Creating" && value.putSentAt === undefined)
    .map(({ value: { org, machineId } }) => ({ org, machineId }));
}

/** The machine's row after what the list says of its VM; undefined when nothing is new. */
function observed(machine: MachineRow, status: VmStatus): MachineRow | undefined {
  if (status.provisioning === "succeeded" && machine.vmSucceededAt === undefined) {
    const vmSucceededAt = status.provisionedAt ?? new Date().toISOString();
    return { ...machine, vmSucceededAt, state: machine.state === "Creating" ? "Booting" : machine.state };
  }
  if (status.provisioning === "failed" && isComing(machine)) {
    const code = status.failureCode ?? "ProvisioningFailed";
    // A failed allocation leaves a shell in state Failed, though no VM ever ran: that costs the job no retry.
    const kind = classifyCreateFailure(200, code, "").kind === "capacity" ? "capacity" : "boot";
    return { ...machine, state: "Failed", failure: { kind, reason: `Azure failed to provision the VM (${code})` } };
  }
  return undefined;
}
