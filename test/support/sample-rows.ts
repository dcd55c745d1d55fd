import { Job } from "../../src/contract/job";
import { Organization } from "../../src/contract/organization";
import type { Offering } from "../../src/domain/placement";
import { specHashOf } from "../../src/intake/spec-hash";
import type { AgentSessionRow } from "../../src/state/agent-session-table";
import type { AttemptRow } from "../../src/state/attempt-table";
import type { JobRow } from "../../src/state/job-table";
import type { MachineRow } from "../../src/state/machine-table";
import type { OrganizationRow } from "../../src/state/organization-table";

export const SUBSCRIPTION = "5a1e0000-0000-4000-8000-000000000001";
export const ADMINISTRATOR = "ad000000-0000-4000-8000-000000000001";
export const MACHINE_PRINCIPAL = "3ac00000-0000-4000-8000-000000000001";

export const T4_SPOT: Offering = {
  subscriptionId: SUBSCRIPTION,
  location: "westeurope",
  vmSize: "Standard_NC4as_T4_v3",
  capacity: "spot",
};

/** A time that lies so many seconds back. */
export const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export function sampleJob(fields: object = {}): Job {
  return Job.parse({ org: "demo", jobId: "j1", image: "docker.io/library/node:24", ...fields });
}

export function sampleOrganization(fields: object = {}): Organization {
  return Organization.parse({
    org: "demo",
    subscriptionId: SUBSCRIPTION,
    locations: ["westeurope"],
    administrators: [ADMINISTRATOR],
    registries: ["docker.io"],
    queueSubmission: true,
    ...fields,
  });
}

export function organizationRow(fields: Partial<OrganizationRow> = {}): OrganizationRow {
  const settings = fields.settings ?? sampleOrganization();
  return {
    org: settings.org,
    settings,
    state: "Degraded",
    reasons: ["eventsNotConnected"],
    suffix: "ab12cd",
    createdAt: ago(3600),
    machinePrincipalId: MACHINE_PRINCIPAL,
    ...fields,
  };
}

export function jobRow(fields: Partial<JobRow> = {}): JobRow {
  const spec = fields.spec ?? sampleJob({ jobId: fields.jobId ?? "j1", org: fields.org ?? "demo" });
  return {
    org: spec.org,
    jobId: spec.jobId,
    spec,
    specHash: specHashOf(spec),
    state: "Queued",
    attempt: 0,
    used: { failures: 0, evictions: 0, boots: 0 },
    onDemandOnly: false,
    createdAt: ago(60),
    createdBy: "test",
    queuedAt: ago(60),
    waitedMs: 0,
    cancelRequested: false,
    ...fields,
  };
}

export function machineRow(fields: Partial<MachineRow> = {}): MachineRow {
  return {
    org: "demo",
    machineId: "m000000001",
    state: "Creating",
    offering: T4_SPOT,
    pricePerHour: 0.063,
    createdAt: ago(60),
    jobsRun: 0,
    ...fields,
  };
}

export function idleMachine(fields: Partial<MachineRow> = {}): MachineRow {
  return machineRow({
    state: "Idle",
    bootId: "boot1",
    putSentAt: ago(50),
    registeredAt: ago(20),
    idleSince: ago(20),
    ...fields,
  });
}

export function attemptRow(fields: Partial<AttemptRow> = {}): AttemptRow {
  return {
    org: "demo",
    jobId: "j1",
    attempt: 1,
    machineId: "m000000001",
    offering: T4_SPOT,
    queuedAt: ago(60),
    placingAt: ago(50),
    ...fields,
  };
}

export function sessionRow(fields: Partial<AgentSessionRow> = {}): AgentSessionRow {
  return {
    org: "demo",
    machineId: "m000000001",
    bootId: "boot1",
    sessionHash: "0".repeat(64),
    vmId: "vm-id",
    registeredAt: ago(20),
    used: true,
    lastHeartbeatAt: ago(5),
    ...fields,
  };
}
