import { createEstateActivities } from "../../src/activities/estate";
import { createJobActivities } from "../../src/activities/job";
import { createMachineActivities } from "../../src/activities/machine";
import { MachineAudit } from "../../src/activities/machine-audit";
import { createRemovalActivities } from "../../src/activities/machine-removal";
import { createPlacementActivities } from "../../src/activities/placement";
import { PlacementSteps } from "../../src/activities/placement-steps";
import { QuotaView } from "../../src/activities/quota";
import { createSweepActivities } from "../../src/activities/sweep";
import { Wake } from "../../src/activities/wake";
import { AgentSessionTable } from "../../src/state/agent-session-table";
import type { AuditEntry } from "../../src/contract/audit";
import { AuditLog } from "../../src/intake/audit-trail";
import { AttemptTable } from "../../src/state/attempt-table";
import { AuditTable } from "../../src/state/audit-table";
import { JobTable } from "../../src/state/job-table";
import { LeaseTable } from "../../src/state/lease-table";
import { MachineTable } from "../../src/state/machine-table";
import { OfferingTable } from "../../src/state/offering-table";
import { OrganizationTable } from "../../src/state/organization-table";
import { useTable } from "./azurite";
import { MemoryResources, MemoryVms } from "./memory-azure";
import { MemoryInstances } from "./memory-instances";
import { WriteCut } from "./write-cut";

export interface WorldOptions {
  readonly silentSeconds?: number;
  readonly listeningSince?: Date;
}

export type World = ReturnType<typeof createWorld>;

const TABLES = [
  "Organizations",
  "Jobs",
  "Attempts",
  "Machines",
  "AgentSessions",
  "Offerings",
  "Leases",
  "Audit",
] as const;

/** Everything that activities touch: real tables on Azurite, Azure and Durable in memory. A fresh one for each test. */
export function useWorld(options: WorldOptions = {}): () => World {
  const clients = TABLES.map((name) => useTable(name));
  let world: World | undefined;
  beforeEach(() => {
    const cut = new WriteCut();
    const [organizations, jobs, attempts, machines, sessions, offerings, leases, audit] = clients.map((client) =>
      cut.watch(client()),
    );
    if (!organizations || !jobs || !attempts || !machines || !sessions || !offerings || !leases || !audit)
      throw new Error("a table is missing");
    const tables = {
      organizations: new OrganizationTable(organizations),
      jobs: new JobTable(jobs),
      attempts: new AttemptTable(attempts),
      machines: new MachineTable(machines),
      sessions: new AgentSessionTable(sessions),
      offerings: new OfferingTable(offerings),
      leases: new LeaseTable(leases),
      auditRows: new AuditTable(audit),
    };
    world = createWorld(tables, cut, options);
  });
  return () => {
    if (!world) throw new Error("a world is there within a test only");
    return world;
  };
}

interface Tables {
  readonly organizations: OrganizationTable;
  readonly jobs: JobTable;
  readonly attempts: AttemptTable;
  readonly machines: MachineTable;
  readonly sessions: AgentSessionTable;
  readonly offerings: OfferingTable;
  readonly leases: LeaseTable;
  readonly auditRows: AuditTable;
}

function createWorld(tables: Tables, cut: WriteCut, options: WorldOptions) {
  const vms = new MemoryVms();
  const resources = new MemoryResources();
  const wake = new Wake(tables.organizations);
  /** What the audit's sinks are asked to keep goes through this first. */
  const auditGate = { isDown: false };
  const append = (entry: AuditEntry) =>
    auditGate.isDown ? Promise.reject(new Error("the store is down")) : tables.auditRows.append(entry);
  const audit = new AuditLog([{ append }]);
  const deps = {
    ...tables,
    vms,
    resources,
    wake,
    machineAudit: new MachineAudit(audit, () => undefined),
    steps: new PlacementSteps({ ...tables, wake }),
    quota: new QuotaView(vms),
    estatePrefix: "corral",
    deploymentId: "test",
    apiUrl: "https://corral.test",
    createDeadlineSeconds: 600,
    registerDeadlineSeconds: 900,
    silentSeconds: options.silentSeconds ?? 90,
    listeningSince: options.listeningSince ?? new Date(Date.now() - 24 * 3_600_000),
  };
  return {
    ...tables,
    vms,
    resources,
    cut,
    audit,
    auditGate,
    instances: new MemoryInstances(),
    job: createJobActivities(deps),
    placement: createPlacementActivities(deps),
    machine: createMachineActivities(deps),
    removal: createRemovalActivities(deps),
    sweep: createSweepActivities(deps),
    estate: createEstateActivities(deps),
  };
}
