import type { CloudFacts } from "./cloud-facts";
import { DEMO_ORG } from "./constants";
import { type Example, type Expectation, readRejected, type RejectedMessage } from "./examples";
import type { StackSession } from "./session";
import type { Snapshot, WatchedJob } from "./watch";

export interface Summary {
  readonly org: string;
  readonly estate: readonly string[];
  readonly jobs: readonly {
    readonly org: string;
    readonly jobId: string;
    readonly state: string;
    readonly exitCode?: number;
    readonly attempts: number;
    readonly phases: Readonly<Record<string, number>>;
  }[];
  readonly rejected: readonly Pick<RejectedMessage, "reason" | "description">[];
  readonly deadLettered: number;
  readonly machines: { readonly created: number; readonly deleted: number; readonly remaining: number };
  /** VMs, NICs and disks that are still there. */
  readonly residue: number;
  readonly ledger: { readonly differences: readonly string[] } & Readonly<Record<string, unknown>>;
  readonly seconds: number;
}

interface Inventory {
  readonly value: readonly { readonly type: string }[];
}

const MACHINE_PARTS = [
  "microsoft.compute/virtualmachines",
  "microsoft.compute/disks",
  "microsoft.network/networkinterfaces",
];

/** What became of everything (contract 9), read from the API, the bus and Azure, not from what was shown on the way. */
export async function readSummary(
  facts: CloudFacts,
  session: StackSession,
  { jobs, machines, rejectedBefore = 0 }: Snapshot & { readonly rejectedBefore?: number },
): Promise<Omit<Summary, "seconds">> {
  const { rejected, deadLettered } = await readRejected(facts);
  const inventory = (await session.http.expect({ method: "GET", url: `${facts.portalUrl}/inventory` })) as Inventory;
  const deleted = machines.filter(({ state }) => state === "Deleted").length;
  return {
    org: DEMO_ORG,
    estate: [],
    jobs: jobs.map(summaryOf),
    rejected: rejected
      .filter(({ sequence }) => sequence > rejectedBefore)
      .map(({ reason, description }) => ({ reason, description })),
    deadLettered,
    machines: { created: machines.length, deleted, remaining: machines.length - deleted },
    residue: inventory.value.filter(({ type }) => MACHINE_PARTS.includes(type.toLowerCase())).length,
    ledger: (await session.api("GET", `/api/orgs/${DEMO_ORG}/ledger`)) as Summary["ledger"],
  };
}

function summaryOf({ org, jobId, state, attempts, phases }: WatchedJob): Summary["jobs"][number] {
  const exitCode = attempts.at(-1)?.exitCode;
  return { org, jobId, state, ...(exitCode !== undefined && { exitCode }), attempts: attempts.length, phases };
}

/** Where the queue of rejected messages ends now. */
export async function lastRejection(facts: CloudFacts): Promise<number> {
  const { rejected } = await readRejected(facts);
  return Math.max(0, ...rejected.map(({ sequence }) => sequence));
}

/** Every way in which the run is not what the examples expect; empty when all is well. */
export function complaintsOf(summary: Omit<Summary, "seconds">, examples: readonly Example[]): string[] {
  const complaints = examples.flatMap((example) => {
    const complaint = complaintOf(example, summary);
    return complaint === undefined ? [] : [`${example.name}: ${complaint}`];
  });
  const expectedRejections = examples.filter(({ expected }) => expected.rejected !== undefined).length;
  if (summary.rejected.length !== expectedRejections) {
    complaints.push(`${summary.rejected.length} messages were rejected, ${expectedRejections} were to be`);
  }
  if (summary.deadLettered > 0) complaints.push(`${summary.deadLettered} messages lie on the dead-letter queue`);
  if (summary.machines.remaining > 0) complaints.push(`${summary.machines.remaining} machines remain`);
  if (summary.residue > 0) complaints.push(`${summary.residue} VMs, NICs or disks remain in Azure`);
  return [...complaints, ...summary.ledger.differences.map((difference) => `ledger: ${difference}`)];
}

function complaintOf({ jobId, expected }: Example, { jobs, rejected }: Omit<Summary, "seconds">): string | undefined {
  if (expected.rejected !== undefined) {
    return rejected.some(({ reason }) => reason === expected.rejected)
      ? undefined
      : `was not rejected as ${expected.rejected}`;
  }
  const job = jobs.find((each) => each.jobId === jobId);
  if (!job) return "became no job";
  return differenceOf(job, expected);
}

function differenceOf(job: Summary["jobs"][number], expected: Expectation): string | undefined {
  if (job.state !== expected.state) return `is ${job.state}, not ${expected.state ?? "anything"}`;
  if (expected.exitCode !== undefined && job.exitCode !== expected.exitCode) {
    return `ended with exit code ${job.exitCode ?? "none"}, not ${expected.exitCode}`;
  }
  return undefined;
}
