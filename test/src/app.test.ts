import { CoreApi } from "../../local/host/core-api";
import { API_ROUTES } from "../../src/contract/api";
import * as contract from "../../src/activities/contract";

const id = "00000000-0000-4000-8000-000000000001";
const environment = {
  ServiceBus: "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=n;SharedAccessKey=aw==;UseDevelopmentEmulator=true",
  STATE_STORAGE: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aw==;TableEndpoint=http://127.0.0.1:1/a;",
  AZURE_TENANT_ID: id,
  AZURE_CLIENT_ID: id,
  API_URL: "https://corral.test",
  API_AUDIENCE: "api://corral",
  BOOTSTRAP_OWNER_OBJECT_ID: id,
  DEPLOYMENT_ID: "test",
};

const FUNCTIONS = [
  "advanceJob activityTrigger",
  "agentFinish httpTrigger POST api/agent/v1/finish",
  "agentHeartbeat httpTrigger POST api/agent/v1/heartbeat",
  "agentNotice httpTrigger POST api/agent/v1/notice",
  "agentRegister httpTrigger POST api/agent/v1/register",
  "agentWork httpTrigger POST api/agent/v1/work",
  "cancelJob httpTrigger POST api/orgs/{org}/jobs/{jobId}:cancel",
  "checkAccess httpTrigger POST api/orgs/{org}/access:check",
  "checkAccessWide httpTrigger POST api/access:check",
  "cleanupTimer timerTrigger 0 */5 * * * *",
  "confirmDeleted activityTrigger",
  "confirmEstate httpTrigger POST api/orgs/{org}/estate:confirm",
  "confirmEstateOf activityTrigger",
  "confirmEstateRun orchestrationTrigger",
  "createVm activityTrigger",
  "deleteRoleAssignment httpTrigger DELETE api/orgs/{org}/roleAssignments/{id}",
  "deleteRoleAssignmentWide httpTrigger DELETE api/roleAssignments/{id}",
  "deleteRoleDefinition httpTrigger DELETE api/orgs/{org}/roleDefinitions/{slug}",
  "deleteRoleDefinitionWide httpTrigger DELETE api/roleDefinitions/{slug}",
  "deleteVm activityTrigger",
  "drainMachine activityTrigger",
  "failMachine activityTrigger",
  "jobMessage serviceBusTrigger jobs",
  "listAudit httpTrigger GET api/orgs/{org}/audit",
  "listAuditWide httpTrigger GET api/audit",
  "listJobs httpTrigger GET api/orgs/{org}/jobs",
  "listMachines httpTrigger GET api/orgs/{org}/machines",
  "listOrganizations httpTrigger GET api/orgs",
  "listRoleAssignments httpTrigger GET api/orgs/{org}/roleAssignments",
  "listRoleAssignmentsWide httpTrigger GET api/roleAssignments",
  "listRoleDefinitions httpTrigger GET api/orgs/{org}/roleDefinitions",
  "listRoleDefinitionsWide httpTrigger GET api/roleDefinitions",
  "observeMachines activityTrigger",
  "placeJobs activityTrigger",
  "planSweep activityTrigger",
  "putOrganization httpTrigger PUT api/orgs/{org}",
  "putRoleAssignment httpTrigger PUT api/orgs/{org}/roleAssignments/{id}",
  "putRoleAssignmentWide httpTrigger PUT api/roleAssignments/{id}",
  "putRoleDefinition httpTrigger PUT api/orgs/{org}/roleDefinitions/{slug}",
  "putRoleDefinitionWide httpTrigger PUT api/roleDefinitions/{slug}",
  "readMachine activityTrigger",
  "redrive activityTrigger",
  "runJob orchestrationTrigger",
  "runMachine orchestrationTrigger",
  "scheduler orchestrationTrigger",
  "showDeployment httpTrigger GET api/deployment",
  "showHealth httpTrigger GET api/health",
  "showJob httpTrigger GET api/orgs/{org}/jobs/{jobId}",
  "showLedger httpTrigger GET api/orgs/{org}/ledger",
  "showMachine httpTrigger GET api/orgs/{org}/machines/{machineId}",
  "showOpenApi httpTrigger GET api/openapi.json",
  "showOrganization httpTrigger GET api/orgs/{org}",
  "showRoleAssignment httpTrigger GET api/orgs/{org}/roleAssignments/{id}",
  "showRoleAssignmentWide httpTrigger GET api/roleAssignments/{id}",
  "showRoleDefinition httpTrigger GET api/orgs/{org}/roleDefinitions/{slug}",
  "showRoleDefinitionWide httpTrigger GET api/roleDefinitions/{slug}",
  "startMachine activityTrigger",
  "submitJob httpTrigger POST api/orgs/{org}/jobs",
  "sweep orchestrationTrigger",
  "takeScheduler activityTrigger",
];

/** Loads the app as a host does, with a core of this test's own, and gives back what it registered: its kind and where it listens. */
function registered(): string[] {
  const core = new CoreApi(() => undefined);
  const before = process.env;
  process.env = { ...before, ...environment };
  try {
    jest.isolateModules(() => {
      jest.doMock("@azure/functions-core", () => core.exports, { virtual: true });
      jest.requireActual("../../src/app");
    });
  } finally {
    process.env = before;
  }
  return core.functions.map(({ metadata }) => {
    const trigger = Object.values(metadata.bindings).find(({ type }) => /trigger$/i.test(type));
    const { type, methods, route, queueName, schedule } = { ...trigger } as Record<string, unknown>;
    const at = [Array.isArray(methods) ? methods.join() : methods, route, queueName, schedule].filter(
      (part) => part !== undefined,
    );
    return [metadata.name, type, ...at].join(" ");
  });
}

it("registers these functions and no others; their names are stored data and never change", () => {
  expect(registered().sort()).toEqual(FUNCTIONS);
});

it("has every HTTP function in the API's document, and nothing else in it", () => {
  const documented = API_ROUTES.flatMap(({ name, method, path, isWideToo = false }) => {
    const line = (id: string, at: string) => `${id} httpTrigger ${method.toUpperCase()} ${at.slice(1)}`;
    return [line(name, path), ...(isWideToo ? [line(`${name}Wide`, path.replace("/orgs/{org}", ""))] : [])];
  });

  expect(documented.sort()).toEqual(FUNCTIONS.filter((name) => name.includes(" httpTrigger ")));
});

it("registers every activity that orchestrations call by name", () => {
  const names = new Set(FUNCTIONS.flatMap((line) => (line.endsWith(" activityTrigger") ? [line.split(" ")[0]] : [])));

  expect(Object.values(contract).filter(({ name }) => !names.has(name))).toEqual([]);
});
