import { readSettings } from "../../src/settings";

const id = "00000000-0000-4000-8000-000000000001";
const good = {
  ServiceBus: "Endpoint=sb://a/;SharedAccessKeyName=n;SharedAccessKey=s3cret-key",
  STATE_STORAGE: "AccountName=a;AccountKey=s3cret-key",
  AZURE_TENANT_ID: id,
  AZURE_CLIENT_ID: id,
  API_URL: "https://corral.test",
  API_AUDIENCE: "api://corral",
  BOOTSTRAP_OWNER_OBJECT_ID: id,
  DEPLOYMENT_ID: "test",
};

function complaint(environment: NodeJS.ProcessEnv): string {
  try {
    readSettings(environment);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

it("reads good settings, fills in defaults, and lets nobody change them", () => {
  const settings = readSettings(good);

  expect(settings).toMatchObject({
    serviceBus: { connectionString: good.ServiceBus },
    stateTables: { connectionString: good.STATE_STORAGE },
    armEndpoint: "https://management.azure.com",
    entraAuthority: "https://login.microsoftonline.com",
    estatePrefix: "corral",
    jobQueue: "jobs",
    rejectedQueue: "jobs-rejected",
    cleanupSchedule: "0 */5 * * * *",
    createDeadlineSeconds: 600,
    registerDeadlineSeconds: 900,
    heartbeatSeconds: 30,
    workPollSeconds: 2,
  });
  expect(Object.isFrozen(settings)).toBe(true);
});

it("takes addresses in place of connection strings, for the managed identity", () => {
  const { ServiceBus: _bus, STATE_STORAGE: _storage, ...rest } = good;
  const settings = readSettings({
    ...rest,
    ServiceBus__fullyQualifiedNamespace: "a.servicebus.windows.net",
    STATE_TABLES_URL: "https://a.table.core.windows.net",
    HEARTBEAT_SECONDS: "0.5",
  });

  expect(settings.serviceBus).toEqual({ namespace: "a.servicebus.windows.net" });
  expect(settings.stateTables).toEqual({ url: "https://a.table.core.windows.net" });
  expect(settings.heartbeatSeconds).toBe(0.5);
});

it("names every setting that is missing in one message", () => {
  const lines = complaint({}).split("\n").slice(1);

  expect(lines.map((line) => line.trim()).sort()).toEqual([
    "API_AUDIENCE: is missing",
    "API_URL: is missing",
    "AZURE_CLIENT_ID: is missing",
    "AZURE_TENANT_ID: is missing",
    "BOOTSTRAP_OWNER_OBJECT_ID: is missing",
    "DEPLOYMENT_ID: is missing",
    "STATE_STORAGE or STATE_TABLES_URL: is missing",
    "ServiceBus or ServiceBus__fullyQualifiedNamespace: is missing",
  ]);
});

it.each([
  ["AZURE_TENANT_ID", "contoso"],
  ["ARM_ENDPOINT", "http://management.azure.com"],
  ["ENTRA_AUTHORITY", "http://login"],
  ["API_URL", "corral"],
  ["STATE_TABLES_URL", "tables"],
  ["DEPLOYMENT_ID", "My Deployment"],
  ["ESTATE_PREFIX", "1corral"],
  ["CLEANUP_SCHEDULE", "*/5 * * * *"],
  ["HEARTBEAT_SECONDS", "often"],
  ["HEARTBEAT_SECONDS", "0"],
  ["CREATE_DEADLINE_SECONDS", "-1"],
])("refuses %s=%s", (name, value) => {
  expect(complaint({ ...good, [name]: value })).toContain(`${name}: `);
});

it("names what is missing and what is wrong together, and shows no value (I9)", () => {
  const { API_AUDIENCE: _gone, ServiceBus: _bus, ...rest } = good;
  const message = complaint({ ...rest, AZURE_TENANT_ID: "s3cret-key" });

  expect(message).toContain("API_AUDIENCE: is missing");
  expect(message).toContain("AZURE_TENANT_ID: ");
  expect(message).toContain("ServiceBus or ServiceBus__fullyQualifiedNamespace: is missing");
  expect(message).not.toContain("s3cret-key");
});
