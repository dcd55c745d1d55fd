// Composition root and table of contents: everything that enters the app, and what it is made of. The only file with effects at import.
import { app } from "@azure/functions";
import { TableClient, TableServiceClient } from "@azure/data-tables";
import { ManagedIdentityCredential } from "@azure/identity";
import { ServiceBusClient } from "@azure/service-bus";
import { ContainerClient } from "@azure/storage-blob";
import * as df from "durable-functions";
import type { DurableClient } from "durable-functions";
import { AccessDirectory } from "./access/access-directory";
import { RateLimit } from "./access/rate-limit";
import { RoleCatalogue } from "./access/role-catalogue";
import { ScopeResolver } from "./access/scope-resolver";
import { TokenVerifier } from "./access/token-verifier";
import { createEstateActivities } from "./activities/estate";
import { createJobActivities } from "./activities/job";
import { createMachineActivities } from "./activities/machine";
import { createRemovalActivities } from "./activities/machine-removal";
import { createPlacementActivities } from "./activities/placement";
import { MachineAudit } from "./activities/machine-audit";
import { PlacementSteps } from "./activities/placement-steps";
import { QuotaView } from "./activities/quota";
import { createSweepActivities } from "./activities/sweep";
import { Wake } from "./activities/wake";
import { AuditBlob } from "./azure/audit-blob";
import { ArmResourceClient } from "./azure/arm-resource-client";
import { ArmVmClient } from "./azure/arm-vm-client";
import { DurableInstances } from "./azure/durable-instances";
import { QueueSender } from "./azure/message-sender";
import type { InstanceClient } from "./domain/instances";
import { createAccessCheck } from "./functions/access-check";
import { createAgentCalls } from "./functions/agent-calls";
import { createAuditCalls } from "./functions/audit";
import { CallerGuard } from "./functions/caller-guard";
import { createCleanupTimer } from "./functions/cleanup-timer";
import { createDeploymentCalls } from "./functions/deployment";
import { createJobMessage } from "./functions/job-message";
import { JobViews } from "./functions/job-view";
import { createJobCalls } from "./functions/jobs";
import { createMachineCalls } from "./functions/machines";
import { createOpenApi } from "./functions/openapi";
import { createOrganizationCalls } from "./functions/organizations";
import { createRoleAssignmentCalls } from "./functions/role-assignments";
import { createRoleDefinitionCalls } from "./functions/role-definitions";
import { JobIntake } from "./intake/accept-job";
import { AccessAudit } from "./intake/access-audit";
import { AgentReports } from "./intake/agent-report";
import { JobAnnouncer } from "./intake/announce-job";
import { AuditLog } from "./intake/audit-trail";
import { JobCancellation } from "./intake/cancel-job";
import { WorkIntake } from "./intake/hand-out-work";
import { AgentRegistry } from "./intake/register-agent";
import { OrganizationIntake } from "./intake/register-organization";
import { RejectedMessages } from "./intake/reject-message";
import { RoleAssignments } from "./intake/role-assignments";
import { RoleDefinitions } from "./intake/role-definitions";
import { confirmEstate } from "./orchestrations/confirm-estate";
import { runJob } from "./orchestrations/run-job";
import { runMachine } from "./orchestrations/run-machine";
import { scheduler } from "./orchestrations/scheduler";
import { sweep } from "./orchestrations/sweep";
import { readSettings } from "./settings";
import { AgentSessionTable } from "./state/agent-session-table";
import { AttemptTable } from "./state/attempt-table";
import { AuditTable } from "./state/audit-table";
import { JobTable } from "./state/job-table";
import { LeaseTable } from "./state/lease-table";
import { MachineTable } from "./state/machine-table";
import { OfferingTable } from "./state/offering-table";
import { OrganizationTable } from "./state/organization-table";
import { RateTable } from "./state/rate-table";
import { RoleAssignmentTable } from "./state/role-assignment-table";
import { RoleDefinitionTable } from "./state/role-definition-table";

const settings = readSettings(process.env);
const credential = new ManagedIdentityCredential({ clientId: settings.clientId });

// --- what it is made of -------------------------------------------------------------------------------------------------------------
const TABLES = [
  ...["Organizations", "Jobs", "Attempts", "Machines", "AgentSessions", "Offerings", "Leases"],
  ...["RoleDefinitions", "RoleAssignments", "Audit", "Rates"],
];
const { stateTables, serviceBus } = settings;
// Azurite speaks plain http, which the SDK has to be told; Azure's address is https.
const overHttp = {
  allowInsecureConnection: /^http:|DefaultEndpointsProtocol=http;/.test(
    "url" in stateTables ? stateTables.url : stateTables.connectionString,
  ),
};
const table = (name: string): TableClient =>
  "url" in stateTables
    ? new TableClient(stateTables.url, name, credential, overHttp)
    : TableClient.fromConnectionString(stateTables.connectionString, name, overHttp);
const organizations = new OrganizationTable(table("Organizations"));
const jobs = new JobTable(table("Jobs"));
const attempts = new AttemptTable(table("Attempts"));
const machines = new MachineTable(table("Machines"));
const sessions = new AgentSessionTable(table("AgentSessions"));
const offerings = new OfferingTable(table("Offerings"));
const leases = new LeaseTable(table("Leases"));
const definitions = new RoleDefinitionTable(table("RoleDefinitions"));
const assignments = new RoleAssignmentTable(table("RoleAssignments"));
const auditRows = new AuditTable(table("Audit"));

// Without these, an in-flight send waits 90 seconds for a bus that restarts.
const busOptions = { retryOptions: { timeoutInMs: 5_000, retryDelayInMs: 300, maxRetries: 20 } };
const bus =
  "connectionString" in serviceBus
    ? new ServiceBusClient(serviceBus.connectionString, busOptions)
    : new ServiceBusClient(serviceBus.namespace, credential, busOptions);
const vms = new ArmVmClient(credential, settings.armEndpoint);
const resources = new ArmResourceClient(credential, settings.armEndpoint);
const instances = (client: DurableClient): InstanceClient => new DurableInstances(client);

const wake = new Wake(organizations);
const steps = new PlacementSteps({ jobs, attempts, machines, wake });
const verifier = new TokenVerifier({
  authority: settings.entraAuthority,
  tenantId: settings.tenantId,
  audience: settings.apiAudience,
});
const complain = (line: string): void => void process.stderr.write(`${line}\n`);
const auditBlob =
  settings.auditBlobUrl === undefined ? [] : [new AuditBlob(new ContainerClient(settings.auditBlobUrl, credential))];
const audit = new AuditLog([auditRows, ...auditBlob]);
const directory = new AccessDirectory({ definitions, assignments, firstOwnerId: settings.bootstrapOwnerObjectId });
const scopes = new ScopeResolver(organizations, settings.estatePrefix);
const catalogue = new RoleCatalogue(definitions);
const accessAudit = new AccessAudit(audit, complain);
const guard = new CallerGuard({
  verifier,
  organizations,
  directory,
  scopes,
  accessAudit,
  rateLimit: new RateLimit(new RateTable(table("Rates"))),
  requiredContext: settings.requiredAuthContext,
});
const intake = new JobIntake(jobs, organizations);
const machineAudit = new MachineAudit(audit, complain);
const silentSeconds = 3 * settings.heartbeatSeconds;
const listeningSince = new Date();
const deps = {
  ...settings,
  organizations,
  jobs,
  attempts,
  machines,
  sessions,
  offerings,
  leases,
  vms,
  resources,
  wake,
  steps,
  machineAudit,
  silentSeconds,
  listeningSince,
};

app.hook.appStart(async () => {
  const service =
    "url" in stateTables
      ? new TableServiceClient(stateTables.url, credential, overHttp)
      : TableServiceClient.fromConnectionString(stateTables.connectionString, overHttp);
  await Promise.all(TABLES.map((name) => service.createTable(name)));
});

// --- what enters --------------------------------------------------------------------------------------------------------------------
const rejected = new RejectedMessages(new QueueSender(bus, settings.rejectedQueue));
df.app.client.serviceBusQueue(
  "jobMessage",
  createJobMessage({ queueName: settings.jobQueue, intake, rejected, instances, audit }),
);
df.app.client.timer("cleanupTimer", createCleanupTimer(settings.cleanupSchedule, instances));

const agent = createAgentCalls({
  ...deps,
  verifier,
  registry: new AgentRegistry(machines, sessions),
  reports: new AgentReports({ machines, attempts, jobs, sessions }),
  work: new WorkIntake(machines, jobs),
  accessAudit,
  instances,
});
df.app.client.http("agentRegister", agent.register);
df.app.client.http("agentWork", agent.work);
df.app.client.http("agentHeartbeat", agent.heartbeat);
df.app.client.http("agentNotice", agent.notice);
df.app.client.http("agentFinish", agent.finish);

const jobCalls = createJobCalls({
  guard,
  intake,
  announcer: new JobAnnouncer(new QueueSender(bus, settings.jobQueue)),
  cancellation: new JobCancellation(jobs),
  jobs,
  views: new JobViews(attempts, machines),
  audit,
  instances,
});
app.http("submitJob", jobCalls.submit);
app.http("listJobs", jobCalls.list);
app.http("showJob", jobCalls.show);
df.app.client.http("cancelJob", jobCalls.cancel);

const machineCalls = createMachineCalls({ guard, machines, sessions });
app.http("listMachines", machineCalls.list);
app.http("showMachine", machineCalls.show);

const organizationCalls = createOrganizationCalls({
  guard,
  organizations,
  intake: new OrganizationIntake(organizations),
  jobs,
  audit,
  estatePrefix: settings.estatePrefix,
  instances,
});
app.http("putOrganization", organizationCalls.put);
app.http("showOrganization", organizationCalls.get);
app.http("listOrganizations", organizationCalls.list);
df.app.client.http("confirmEstate", organizationCalls.confirm);
app.http("showLedger", organizationCalls.ledger);

const accessDeps = { guard, directory, scopes, catalogue, definitions, assignments, audit };
const roleCalls = createRoleDefinitionCalls({ ...accessDeps, roles: new RoleDefinitions(definitions) });
const assignmentCalls = createRoleAssignmentCalls({ ...accessDeps, given: new RoleAssignments(assignments) });
const accessCheck = createAccessCheck(accessDeps);
const auditCalls = createAuditCalls({ guard, audit: auditRows });
for (const [name, { org, wide }] of Object.entries({
  listRoleDefinitions: roleCalls.list,
  showRoleDefinition: roleCalls.show,
  putRoleDefinition: roleCalls.put,
  deleteRoleDefinition: roleCalls.remove,
  listRoleAssignments: assignmentCalls.list,
  showRoleAssignment: assignmentCalls.show,
  putRoleAssignment: assignmentCalls.put,
  deleteRoleAssignment: assignmentCalls.remove,
  checkAccess: accessCheck,
  listAudit: auditCalls.list,
})) {
  app.http(name, org);
  app.http(`${name}Wide`, wide);
}

const { deploymentId, tenantId, apiAudience } = settings;
// Whom people sign in with: the deployment's public client, if it has one.
const clientId = settings.pageClientId ?? settings.clientId;
const deploymentCalls = createDeploymentCalls(
  { deploymentId, tenantId, audience: apiAudience, clientId },
  organizations,
);
app.http("showDeployment", deploymentCalls.deployment);
app.http("showHealth", deploymentCalls.health);
app.http("showOpenApi", createOpenApi());

// --- what runs, in which order ------------------------------------------------------------------------------------------------------
df.app.orchestration("runJob", runJob);
df.app.orchestration("runMachine", runMachine);
df.app.orchestration("scheduler", scheduler);
df.app.orchestration("sweep", sweep);
df.app.orchestration("confirmEstateRun", confirmEstate);

// --- what changes the world ---------------------------------------------------------------------------------------------------------
const activities = {
  ...createJobActivities(deps),
  ...createPlacementActivities({ ...deps, quota: new QuotaView(vms) }),
  ...createMachineActivities(deps),
  ...createRemovalActivities(deps),
  ...createSweepActivities(deps),
  ...createEstateActivities(deps),
};
for (const [name, activity] of Object.entries(activities)) {
  // The types of inputs are held by activities/contract.ts, on the side that calls.
  const run = activity as (input: unknown, client: InstanceClient) => unknown;
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    handler: (input: unknown, context) => run(input, instances(df.getClient(context))),
  });
}
