import { gpuSizeOf } from "../domain/gpu-sizes";
import { quotaRowsOf } from "../domain/placement";
import type { QuotaUsage, VmClient } from "../azure/vm-client";
import type { MachineRow } from "../state/machine-table";

const FRESH_MS = 10 * 60_000;
/** A "no" is asked again sooner: quota may have been raised or freed. */
const FRESH_NO_MS = 5_000;

interface Snapshot {
  readonly takenAt: Date;
  readonly usages: readonly QuotaUsage[];
}

/** The usages API writes family names with other case and stray spaces. */
const normal = (name: string): string => name.toLowerCase().replaceAll(" ", "");

/** Cores left by subscription and location, read at most every ten minutes, with what was created since counted on top. */
export class QuotaView {
  private readonly snapshots = new Map<string, Snapshot>();

  constructor(private readonly vms: VmClient) {}

  /** Makes sure that a reading is at hand; one that led to a "no" is renewed after seconds. Unreadable quota is no obstacle. */
  async refresh(subscriptionId: string, locations: readonly string[], options: { afterNo: boolean }): Promise<boolean> {
    const maxAgeMs = options.afterNo ? FRESH_NO_MS : FRESH_MS;
    const stale = locations.filter((location) => {
      const known = this.snapshots.get(`${subscriptionId}/${location}`);
      return !known || Date.now() - known.takenAt.getTime() > maxAgeMs;
    });
    await Promise.all(
      stale.map(async (location) => {
        const takenAt = new Date();
        // What cannot be read is no obstacle: Azure itself refuses a create beyond the quota, and says so.
        const usages = await this.vms.listUsages(subscriptionId, location).catch(() => []);
        this.snapshots.set(`${subscriptionId}/${location}`, { takenAt, usages });
      }),
    );
    return stale.length > 0;
  }

  /** Cores left in a row of the quota; undefined when it is not known. */
  coresLeft(
    machines: readonly MachineRow[],
    subscriptionId: string,
    at: { location: string; row: string },
  ): number | undefined {
    const snapshot = this.snapshots.get(`${subscriptionId}/${at.location}`);
    const usage = snapshot?.usages.find(({ name }) => normal(name) === normal(at.row));
    if (!snapshot || !usage) return undefined;
    return usage.limit - usage.used - coresSince(machines, at, snapshot.takenAt);
  }
}

/** Cores of machines that Azure had not counted when the reading was taken. */
function coresSince(machines: readonly MachineRow[], at: { location: string; row: string }, takenAt: Date): number {
  return machines.reduce((sum, { offering, putSentAt, state }) => {
    const size = gpuSizeOf(offering.vmSize);
    const counted = putSentAt !== undefined && Date.parse(putSentAt) < takenAt.getTime();
    const refused = state === "Failed" && putSentAt === undefined;
    if (!size || counted || refused || offering.location !== at.location) return sum;
    return quotaRowsOf(size, offering.capacity).some((row) => normal(row) === normal(at.row)) ? sum + size.vcpus : sum;
  }, 0);
}
