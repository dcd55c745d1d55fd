import { randomInt } from "node:crypto";
import { gpuSizeOf } from "../domain/gpu-sizes";
import type { InstanceClient, MachineRef } from "../domain/instances";
import { placingJob, startingJob, unplacedJob } from "../domain/job-transition";
import { type PlacementDecision, priceOf } from "../domain/placement";
import type { AttemptRow, AttemptTable } from "../state/attempt-table";
import { type JobRow, type JobTable, type LiveJob } from "../state/job-table";
import type { MachineRow, MachineTable } from "../state/machine-table";
import type { OrganizationRow } from "../state/organization-table";
import type { Stored } from "../state/rows";
import type { Wake } from "./wake";

/** What a pass has read of one organization. */
export interface OrgView {
  readonly organization: OrganizationRow;
  readonly jobs: readonly LiveJob[];
  readonly machines: readonly Stored<MachineRow>[];
}

const MACHINE_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

function newMachineId(): string {
  return Array.from({ length: 10 }, () => MACHINE_ID_ALPHABET[randomInt(MACHINE_ID_ALPHABET.length)]).join("");
}

/**
 * How a placement decision becomes rows. Each step is a compare-and-set: what changed since the plan was made is left alone, and
 * the next pass plans anew. Order matters where a crash may fall between two writes, and `heal` completes what was cut off.
 */
export class PlacementSteps {
  private readonly jobs: JobTable;
  private readonly attempts: AttemptTable;
  private readonly machines: MachineTable;
  private readonly wake: Wake;

  constructor(deps: { jobs: JobTable; attempts: AttemptTable; machines: MachineTable; wake: Wake }) {
    this.jobs = deps.jobs;
    this.attempts = deps.attempts;
    this.machines = deps.machines;
    this.wake = deps.wake;
  }

  /** Carries out a plan; returns the machines whose rows it wrote and that are now to be created. */
  async carryOut(org: string, view: OrgView, decisions: readonly PlacementDecision[]): Promise<MachineRef[]> {
    const created: MachineRef[] = [];
    const live = new Map(view.jobs.map((job) => [job.jobId, job]));
    for (const decision of decisions) {
      const job = live.get(decision.jobId);
      if (!job || isInPlace(job, decision)) continue;
      switch (decision.kind) {
        case "lease":
          await this.lease(org, decision, view);
          break;
        case "await":
          await this.place(
            org,
            decision.jobId,
            view.machines.find(({ value }) => value.machineId === decision.machineId)?.value,
          );
          break;
        case "create": {
          const machine = await this.addMachine(org, decision);
          created.push({ org, machineId: machine.machineId });
          await this.place(org, decision.jobId, machine);
          break;
        }
        case "wait":
          await this.letWait(org, decision);
          break;
      }
    }
    return created;
  }

  /** Completes or undoes leases of a pass that was cut off between the machine's row and the job's; says whether there were any. */
  async heal(org: string, view: OrgView): Promise<boolean> {
    let healed = false;
    const live = new Map(view.jobs.map((job) => [job.jobId, job]));
    for (const machine of view.machines) {
      const { lease, machineId } = machine.value;
      if (machine.value.state !== "Leased" || !lease) continue;
      const seen = live.get(lease.jobId);
      if (seen && (seen.state === "Starting" || seen.state === "Running") && seen.attempt === lease.attempt) continue;
      healed = true;
      const job = await this.jobs.find(org, lease.jobId);
      if (job && isWaitingFor(job.value, lease.attempt)) {
        await this.jobs.replace(job, startingJob(job.value, machineId, new Date()));
      } else if (!job || !isRunningUnder(job.value, lease.attempt)) {
        const { lease: _void, ...rest } = machine.value;
        await this.machines.replace(machine, { ...rest, state: "Idle", idleSince: new Date().toISOString() });
      }
    }
    return healed;
  }

  /** Tells everyone who waits for a machine that it will not come. */
  async machineFailed(machine: MachineRow, instances: InstanceClient): Promise<void> {
    const waiting = (await this.jobs.listLive(machine.org)).filter(({ machineId }) => machineId === machine.machineId);
    await Promise.all([
      this.wake.machine(instances, machine),
      ...waiting.map(({ jobId }) => this.wake.job(instances, machine.org, jobId)),
    ]);
  }

  /** Attempt first, then the machine (this decides), then the job: an attempt without a lease is nothing, a lease is authority. */
  private async lease(
    org: string,
    { jobId, machineId }: { jobId: string; machineId: string },
    view: OrgView,
  ): Promise<void> {
    const machine = view.machines.find(({ value }) => value.machineId === machineId);
    const job = await this.jobs.find(org, jobId);
    if (machine?.value.bootId === undefined || !job || !isUnplaced(job.value)) return;
    const now = new Date();
    const { bootId } = machine.value;
    const starting = startingJob(job.value, machineId, now);
    const known = await this.attempts.find(org, jobId, starting.attempt);
    const placingAt = placingAtOf(job.value, known, now);
    await this.writeAttempt(known, {
      ...newAttempt(job.value, { attempt: starting.attempt, machine: machine.value, placingAt }),
      leasedAt: now.toISOString(),
      bootId,
      // One that had another job first was there before, whenever it was made.
      reusedMachine: machine.value.jobsRun > 0 || (machine.value.putSentAt ?? "") < placingAt,
    });
    const { idleSince: _busy, ...rest } = machine.value;
    const leased: MachineRow = { ...rest, state: "Leased", lease: { jobId, attempt: starting.attempt, bootId } };
    if ((await this.machines.replace(machine, leased)) === "stale") return;
    await this.jobs.replace(job, starting);
  }

  private async place(org: string, jobId: string, machine: MachineRow | undefined): Promise<void> {
    const job = await this.jobs.find(org, jobId);
    if (!machine || !job || !isUnplaced(job.value)) return;
    const placing = placingJob(job.value, machine.machineId);
    if ((await this.jobs.replace(job, placing)) === "stale") return;
    const known = await this.attempts.find(org, jobId, placing.attempt);
    const placingAt = placingAtOf(job.value, known, new Date());
    await this.writeAttempt(known, newAttempt(job.value, { attempt: placing.attempt, machine, placingAt }));
  }

  private async letWait(org: string, { jobId, waitingFor }: { jobId: string; waitingFor: string }): Promise<void> {
    const job = await this.jobs.find(org, jobId);
    if (!job || !isUnplaced(job.value)) return;
    await this.jobs.replace(job, unplacedJob(job.value, waitingFor));
  }

  private async writeAttempt(known: Stored<AttemptRow> | undefined, row: AttemptRow): Promise<void> {
    if (known?.value.outcome !== undefined)
      throw new Error(`attempt ${row.jobId}/${row.attempt} is over and cannot be placed`);
    const written = known ? await this.attempts.replace(known, row) : await this.attempts.insert(row);
    if (written === "stale" || written === "exists")
      throw new Error(`attempt ${row.jobId}/${row.attempt}: its row changed`);
  }

  private async addMachine(
    org: string,
    { offering }: Extract<PlacementDecision, { kind: "create" }>,
  ): Promise<MachineRow> {
    const size = gpuSizeOf(offering.vmSize);
    const row: MachineRow = {
      org,
      machineId: newMachineId(),
      state: "Creating",
      offering,
      pricePerHour: size ? priceOf(size, offering.capacity) : 0,
      createdAt: new Date().toISOString(),
      jobsRun: 0,
    };
    if ((await this.machines.insert(row)) === "exists") throw new Error(`machine id ${row.machineId} is taken`);
    return row;
  }
}

/** Since when the attempt is being placed: it may change the machine that it waits for, that is no new beginning. */
function placingAtOf(job: JobRow, known: Stored<AttemptRow> | undefined, now: Date): string {
  return job.state === "Placing" && known ? known.value.placingAt : now.toISOString();
}

const isUnplaced = ({ state }: JobRow): boolean => state === "Queued" || state === "Placing";
const isRunningUnder = ({ state, attempt }: JobRow, leased: number): boolean =>
  (state === "Starting" || state === "Running") && attempt === leased;

/** A job that waits and whose next start would be this attempt. */
function isWaitingFor(job: JobRow, attempt: number): boolean {
  if (job.state === "Placing") return job.attempt === attempt;
  return job.state === "Queued" && job.attempt + 1 === attempt;
}

/** Nothing to write: the job says already what was decided for it. */
function isInPlace(job: LiveJob, decision: PlacementDecision): boolean {
  if (decision.kind === "await") return job.state === "Placing" && job.machineId === decision.machineId;
  return decision.kind === "wait" && job.state === "Queued" && job.waitingFor === decision.waitingFor;
}

function newAttempt(job: JobRow, at: { attempt: number; machine: MachineRow; placingAt: string }): AttemptRow {
  return {
    org: job.org,
    jobId: job.jobId,
    attempt: at.attempt,
    machineId: at.machine.machineId,
    offering: at.machine.offering,
    queuedAt: job.queuedAt,
    placingAt: at.placingAt,
  };
}
