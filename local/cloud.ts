// The process that plays Azure: what keeps running while the Functions host crashes. Started by the supervisor, one for each stack.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { EventGridOptions } from "./azure/arm/event-grid/event-grid-service";
import { startAzure } from "./azure/azure";
import type { AzureSimulator } from "./azure/azure-options";
import { FaultPlan } from "./faults/fault-plan";
import { createFaultRoutes } from "./faults/fault-routes";
import { startFrontDoor } from "./front-door/front-door";
import { type ServiceBusServer, startServiceBus } from "./service-bus/service-bus";
import type { CloudFacts, CloudReady, HostAddress, StackUser } from "./stack/cloud-facts";
import {
  API_APP_ID,
  EVENT_QUEUE,
  JOB_QUEUE,
  LOCATIONS,
  REJECTED_QUEUE,
  RUNTIME_IDENTITY_ID,
  SUBSCRIPTION_ID,
  TENANT_ID,
} from "./stack/constants";
import { loadOrCreateKey, loadPorts, type Ports, savePorts } from "./stack/kept";
import { type Storage, startStorage } from "./storage/storage";
import type { StorageControl } from "./storage/storage-control";
import { startStoragePlane, storageControlOf, type StoragePlane } from "./storage/storage-plane";
import { loadOrCreateCa } from "./tls/certificate-authority";
import { createVmFleet, type VmFleet } from "./vm/fleet";

interface CloudOptions {
  readonly dataFolder: string;
  readonly speed: number;
  readonly ports: Ports;
}

interface Closable {
  close(): Promise<unknown>;
}

/** Azure's shortest: how long a message waits whose receiver has died. Handlers take milliseconds, and the host renews the lock of a slow one. */
const LOCK_SECONDS = 5;

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Seconds from a VM's creation to its agent, on Azure: a Linux boot with cloud-init; drawn around 35 s. */
function bootSeconds(speed: number): () => number {
  return () => (35 * Math.exp(0.3 * gaussian())) / speed;
}

/** The fault plan over plain http: for tests and for people who want to see what happens when. */
async function startFaultServer(port: number, faults: FaultPlan): Promise<Closable & { port: number }> {
  const server = createServer(createFaultRoutes(faults));
  await new Promise<void>((resolve, reject) => {
    server.once("error", () =>
      reject(new Error(`the fault plan cannot listen on 127.0.0.1:${port}: the port is in use`)),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      faults.disarmAll();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** Users of the embedded tenant. Made at the first start and kept, since a stack that starts again must know them. */
function loadOrCreateUsers(azure: AzureSimulator, folder: string): StackUser[] {
  const file = join(folder, "users.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as StackUser[];
  const users = ["Owner", "Stranger"].map((role) => ({
    role,
    // The application role that Corral's API asks of applications; in Entra an administrator assigns it.
    ...azure.addServicePrincipal({ displayName: `demo ${role}`, roles: ["Corral.Access"] }),
  }));
  writeFileSync(file, JSON.stringify(users), { mode: 0o600 });
  return users;
}

interface Cloud {
  readonly facts: CloudFacts;
  readonly setHost: (url: string) => void;
  readonly close: () => Promise<void>;
}

async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { dataFolder, ports } = options;
  mkdirSync(dataFolder, { recursive: true });
  const faults = new FaultPlan();
  let hostUrl: string | undefined;
  const faultServer = await startFaultServer(ports.faults, faults);
  const frontDoor = await startFrontDoor({ port: ports.frontDoor, target: () => hostUrl, faults, log });
  const storagePorts = { blob: ports.blob, queue: ports.queue, table: ports.table };
  const storage = await startStorage({ folder: join(dataFolder, "storage"), ports: storagePorts, faults, log });
  const bus = await startBus(options, faults);
  // ARM tells accounts where their data is served, and the one who serves it asks ARM who may: each is made with the other.
  const served: { plane?: StoragePlane } = {};
  const storageControl = storageControlOf(storage, () => served.plane);
  const eventGrid: EventGridOptions = {
    serviceBus: () => bus.connectionString,
    storage: () => storage.connectionString,
    functionWebhook: (functionId) => hostUrl && webhookOf(hostUrl, functionId),
  };
  const { azure, fleet } = await startMachinery({ ...options, faults, storage: storageControl, eventGrid });
  const storagePlane = await startDataPlane({ azure, storage, faults, ...options });
  served.plane = storagePlane;
  const facts: CloudFacts = {
    apiUrl: `http://localhost:${frontDoor.port}`,
    armUrl: azure.armUrl,
    authorityUrl: azure.authorityUrl,
    vaultUrl: "",
    portalUrl: azure.portalUrl,
    faultsUrl: `http://127.0.0.1:${faultServer.port}`,
    caFile: azure.caFile,
    serviceBus: bus.connectionString,
    stateStorage: storage.connectionString,
    identityEnvironment: azure.identityEnvironment,
    ...preparePrincipals(azure, dataFolder),
  };
  savePorts(dataFolder, {
    https: portOf(azure.armUrl),
    identity: portOf(azure.identityEnvironment.IDENTITY_ENDPOINT),
    portal: portOf(azure.portalUrl),
    faults: faultServer.port,
    frontDoor: frontDoor.port,
    amqp: bus.port,
    blobFront: storagePlane.ports.blob,
    tableFront: storagePlane.ports.table,
    queueFront: storagePlane.ports.queue,
    ...storage.ports,
  });
  return {
    facts,
    setHost: (url) => {
      hostUrl = url;
    },
    // Machines first, then what they talk to.
    close: async () => {
      for (const part of [fleet, azure, storagePlane, bus, storage, frontDoor, faultServer]) await part.close();
    },
  };
}

/** Where the host takes the events of a function: the app's is the only one. */
function webhookOf(hostUrl: string, functionId: string): string {
  const name = encodeURIComponent(functionId.slice(functionId.lastIndexOf("/") + 1));
  return `${hostUrl}/runtime/webhooks/EventGrid?functionName=${name}`;
}

function startBus({ dataFolder, ports }: CloudOptions, faults: FaultPlan): Promise<ServiceBusServer> {
  return startServiceBus({
    port: ports.amqp,
    dataFile: join(dataFolder, "service-bus.sqlite"),
    queues: [JOB_QUEUE, REJECTED_QUEUE, EVENT_QUEUE].map((name) => ({ name, lockSeconds: LOCK_SECONDS })),
    keys: [{ name: "RootManageSharedAccessKey", value: loadOrCreateKey(join(dataFolder, "service-bus.key")) }],
    faults,
    log,
  });
}

/** Storage accounts of the estates, for whoever has a token and the roles. */
async function startDataPlane(
  parts: CloudOptions & { azure: AzureSimulator; storage: Storage; faults: FaultPlan },
): Promise<StoragePlane> {
  const { azure, storage, dataFolder, ports, faults } = parts;
  const { key, cert } = await loadOrCreateCa(join(dataFolder, "azure", "tls"));
  return startStoragePlane({
    storage,
    ports: { blob: ports.blobFront, queue: ports.queueFront, table: ports.tableFront },
    tls: { key, cert },
    tenantId: TENANT_ID,
    tokenAuthority: () => `${azure.authorityUrl}/${TENANT_ID}`,
    account: (name) => azure.storageAccount(name),
    identify: (authorization) => azure.identifyForStorage(authorization),
    allows: (question) => azure.allows(question),
    faults,
    log,
  });
}

/** The users of the tenant, its owner with all rights in Azure, and the app's identity, which gets its roles like anybody else. */
function preparePrincipals(azure: AzureSimulator, dataFolder: string): Pick<CloudFacts, "users" | "runtime"> {
  const users = loadOrCreateUsers(azure, dataFolder);
  const { clientId, principalId } = azure.assignAppIdentity(RUNTIME_IDENTITY_ID);
  for (const { role, objectId } of users) {
    if (role === "Owner")
      azure.grant({ principalId: objectId, role: "Owner", scope: `/subscriptions/${SUBSCRIPTION_ID}` });
  }
  return { users, runtime: { clientId, principalId } };
}

const portOf = (url: string): number => Number(new URL(url).port);

/** ARM and Entra, and below them the machines, each of which needs the other. */
async function startMachinery(
  options: CloudOptions & {
    faults: FaultPlan;
    storage: StorageControl;
    eventGrid: EventGridOptions;
  },
): Promise<{ azure: AzureSimulator; fleet: VmFleet }> {
  const { dataFolder, speed, ports, faults, storage, eventGrid } = options;
  let fleet: VmFleet | undefined;
  const azure = await startAzure({
    dataFolder: join(dataFolder, "azure"),
    speed,
    ports: { https: ports.https, identity: ports.identity, portal: ports.portal },
    hypervisor: (tokens) => {
      fleet = createVmFleet({
        folder: join(dataFolder, "vms"),
        agentFile: join(__dirname, "..", "agent.js"),
        nodePath: process.execPath,
        tokens,
        bootSeconds: bootSeconds(speed),
        caFile: join(dataFolder, "azure", "tls", "local-ca.pem"),
        onGuestPowerOff: (resourceId) => azure.guestStopped(resourceId),
        log,
      });
      return fleet;
    },
    faults,
    tenantId: TENANT_ID,
    subscriptionId: SUBSCRIPTION_ID,
    locations: LOCATIONS,
    apis: [{ appId: API_APP_ID, identifierUri: `api://${API_APP_ID}`, displayName: "Corral" }],
    storage,
    eventGrid,
    evictionNoticeSeconds: Math.max(1, 30 / speed),
    log,
  });
  if (!fleet) throw new Error("the simulator of ARM made no hypervisor");
  return { azure, fleet };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: "string" },
      speed: { type: "string", default: "1" },
      port: { type: "string", default: "0" },
    },
  });
  if (values.data === undefined) throw new Error("usage: cloud.js --data DIR [--speed N] [--port N]");
  const cloud = await startCloud({
    dataFolder: values.data,
    speed: Number(values.speed),
    ports: loadPorts(values.data, { frontDoor: Number(values.port) }),
  });
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await cloud.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
  // Without its supervisor nobody would ever end this process.
  process.on("disconnect", () => void stop());
  process.on("message", (message: HostAddress) => cloud.setHost(message.url));
  process.send?.({ type: "ready", facts: cloud.facts } satisfies CloudReady);
}

main().catch((error: unknown) => {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
