import { STORAGE_AUDIENCES } from "./identity/audiences";
import { ArmError } from "./arm/arm-error";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadOrCreateCa, type LocalTls } from "../tls/certificate-authority";
import { createArmServer } from "./arm/arm-server";
import { grantRole } from "./arm/authorization/grant-role";
import { Authentication } from "./arm/authentication";
import { resumeVms } from "./arm/compute/vm-lifecycle";
import { findVmSize } from "./arm/compute/vm-sizes";
import { powerOf, VM_TYPE } from "./arm/compute/vm-record";
import type { CloudWorld } from "./arm/cloud-world";
import { createEventGridPlane, type EventGridPlane } from "./arm/event-grid/event-grid-plane";
import { createResourceGraphRoutes } from "./arm/resource-graph/graph-routes";
import { withProviderRoutes } from "./arm/resources/provider-routes";
import { storageAccountFacts } from "./arm/storage/storage-account-type";
import { createRoutes, createWorld } from "./arm/world";
import { Throttle } from "./arm/throttle";
import type { AzureOptions, AzureSimulator } from "./azure-options";
import { createDataPlanes, type DataPlanes } from "./data-planes";
import { type Listener, startListener } from "./http/listener";
import { Directory } from "./identity/directory";
import { createEntraRoutes } from "./identity/entra-routes";
import { createManagedIdentityRoutes } from "./identity/managed-identity-routes";
import { createEntraPortal } from "./identity/entra-portal";
import { GrantStore } from "./identity/grant-store";
import { SigningKeys } from "./identity/signing-key";
import { TokenIssuer } from "./identity/token-issuer";
import { createRetailPrices, RETAIL_PRICES_PATH } from "./retail-prices/retail-prices-routes";
import { createPortalRoutes } from "./portal-routes";
import { JsonTable } from "./store/json-table";
import { openDatabase } from "./store/open-database";

/** Starts the simulators of ARM, Entra, the app's managed identity endpoint, and the portal. */
export async function startAzure(options: AzureOptions): Promise<AzureSimulator> {
  const tls = await loadOrCreateCa(join(options.dataFolder, "tls"));
  const core = createCore(options, tls);
  await core.planes.open();
  // Before the first request: a resource must be known to be in an operation. And nothing may come between this and the routes,
  // which know what the operations of their types do when they end.
  core.world.operations.resume();
  const listeners = await startListeners(core);
  core.eventGrid.start();
  resumeVms(core.world);
  return createSimulator(core, listeners);
}

interface Core {
  readonly options: AzureOptions;
  readonly tls: LocalTls;
  readonly key: SigningKeys;
  readonly grants: GrantStore;
  readonly directory: Directory;
  readonly issuer: TokenIssuer;
  readonly world: CloudWorld;
  readonly planes: DataPlanes;
  readonly eventGrid: EventGridPlane;
  readonly appIdentities: JsonTable<string>;
  readonly identityHeader: string;
  readonly calls: Map<string, number>;
  readonly port: { https: number };
  readonly closeDatabase: () => void;
}

const authorityOf = (port: { https: number }) => (): string => `https://localhost:${port.https}`;

function createCore(options: AzureOptions, tls: LocalTls): Core {
  const database = openDatabase(options.dataFolder);
  const directory = new Directory(database, options.tenantId);
  for (const api of options.apis ?? []) directory.registerApi(api);
  const key = new SigningKeys(options.dataFolder);
  const port = { https: options.ports.https };
  const issuer = new TokenIssuer({
    directory,
    key,
    authority: authorityOf(port),
    clientTokenSeconds: options.clientTokenSeconds,
  });
  const eventGrid = createEventGridPlane({ options, directory, issuer, key, authority: authorityOf(port), tls });
  const { publish } = eventGrid;
  const world = createWorld({ options, database, directory, hypervisor: options.hypervisor(issuer), publish });
  eventGrid.attach(world);
  return {
    options,
    tls,
    key,
    directory,
    issuer,
    grants: new GrantStore(database),
    port,
    world,
    eventGrid,
    planes: createDataPlanes({ options, database, world, directory, key, authority: authorityOf(port), tls }),
    appIdentities: new JsonTable(database, "appIdentities"),
    identityHeader: loadOrCreateHeader(options.dataFolder),
    calls: new Map(),
    closeDatabase: () => database.close(),
  };
}

/** Kept, as the app's process may outlive a restart of the cloud. */
function loadOrCreateHeader(folder: string): string {
  const file = join(folder, "identity-header");
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const header = randomBytes(24).toString("hex");
    writeFileSync(file, header, { mode: 0o600 });
    return header;
  }
}

const coresOf = (size: string): number => findVmSize(size)?.vcpus ?? 0;

interface Listeners {
  readonly https: Listener;
  readonly identity: Listener;
  readonly portal: Listener;
}

async function startListeners({
  options,
  tls,
  key,
  directory,
  issuer,
  grants,
  world,
  planes,
  eventGrid,
  calls,
  port,
  appIdentities,
  identityHeader,
}: Core): Promise<Listeners> {
  const { faults, log, ports } = options;
  const authority = authorityOf(port);
  const revokedAtMs = (objectId: string): number => grants.revokedAtMs(objectId);
  const authentication = new Authentication({ directory, key, authority, revokedAtMs });
  const throttle = new Throttle({ speed: options.speed, isEnforced: options.throttling ?? true });
  const graph = createResourceGraphRoutes(world, { isEnforced: options.throttling ?? true });
  const routes = withProviderRoutes(world, [...createRoutes(world), ...graph, ...planes.routes, ...eventGrid.routes]);
  const arm = createArmServer({ world, routes, authentication, throttle, faults, calls });
  const deviceCodeIntervalSeconds = options.deviceCodeIntervalSeconds ?? 5;
  const tenants = createEntraRoutes({ directory, issuer, grants, key, faults, authority, deviceCodeIntervalSeconds });
  const entra = eventGrid.before(tenants);
  const prices = createRetailPrices({ locations: world.locations, coresOf, faults, origin: authority });
  // One port for all, as they share a certificate: what is no ARM path and no price list is a tenant's.
  const isArm = /^\/(subscriptions|providers|tenants)(\/|$)/i;
  const https = await startListener({
    port: ports.https,
    tls,
    handle: (request) => {
      if (isArm.test(request.path)) return arm(request);
      return request.path.toLowerCase() === RETAIL_PRICES_PATH ? prices(request) : entra(request);
    },
    log,
  });
  port.https = https.port;
  const assigned = (): string[] => appIdentities.values();
  const identity = await startListener({
    port: ports.identity,
    handle: createManagedIdentityRoutes({ directory, issuer, faults, header: identityHeader, assigned }),
    log,
  });
  const inAzure = eventGrid.beforePortal(
    createPortalRoutes({ world, routes, armUrl: authority, calls: () => Object.fromEntries(calls) }),
  );
  const inEntra = createEntraPortal({ directory, grants, key });
  const portal = await startListener({
    port: ports.portal,
    handle: (request) => (request.path.startsWith("/entra/") ? inEntra(request) : inAzure(request)),
    log,
  });
  return { https, identity, portal };
}

function createSimulator(core: Core, listeners: Listeners): AzureSimulator {
  const { options, tls, directory, issuer, world, calls } = core;
  return {
    armUrl: authorityOf(core.port)(),
    authorityUrl: authorityOf(core.port)(),
    pricesUrl: `${authorityOf(core.port)()}${RETAIL_PRICES_PATH}`,
    portalUrl: `http://127.0.0.1:${listeners.portal.port}`,
    caFile: tls.caFile,
    caPem: tls.caPem,
    identityEnvironment: {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${listeners.identity.port}/msi/token`,
      IDENTITY_HEADER: core.identityHeader,
    },
    tenantId: options.tenantId,
    subscriptionId: options.subscriptionId,
    tokens: issuer,
    addServicePrincipal: (principal) => directory.addApplication(principal),
    addPerson: (person) => directory.addPerson(person).objectId,
    addGroupMember: (groupId, memberId) => directory.addGroupMember(groupId, memberId),
    registerCertificate: (clientId, pem) => directory.clientKeys.addCertificate(clientId, pem).thumbprint,
    registerFederatedCredential: (credential) => void directory.clientKeys.addFederation(credential),
    assignAppIdentity: (resourceId) => {
      const { objectId, clientId = "" } = directory.addManagedIdentity({ resourceId, kind: "user-assigned" });
      core.appIdentities.set(objectId, objectId);
      return { kind: "user-assigned", resourceId, clientId, principalId: objectId };
    },
    grant: (grant) => grantRole(world, grant),
    allows: (question) => world.access.findGrant(question) !== undefined,
    identifyForStorage: createStorageIdentification(core),
    storageAccount: (name) => storageAccountFacts(world.resources, name),
    guestStopped: (resourceId) => markStopped(world, resourceId),
    calls: () => Object.fromEntries(calls),
    vmsEverCreated: () => world.resources.everCreated(VM_TYPE),
    remainingByType: () => countByType(world),
    close: () => close(core, listeners),
  };
}

function createStorageIdentification({ directory, key, port }: Core): AzureSimulator["identifyForStorage"] {
  const authentication = new Authentication({
    directory,
    key,
    authority: authorityOf(port),
    audiences: STORAGE_AUDIENCES,
  });
  return async (authorization) => {
    try {
      return (await authentication.callerOf(authorization)).objectId;
    } catch (error) {
      if (error instanceof ArmError) return undefined;
      throw error;
    }
  };
}

function markStopped(world: CloudWorld, resourceId: string): void {
  const vm = world.resources.get(resourceId);
  if (!vm || powerOf(vm) !== "running" || world.operations.currentOf(vm.id)) return;
  world.resources.change(vm.id, { hidden: { power: "stopped" } });
}

function countByType(world: CloudWorld): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of world.resources.all()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Stops taking calls, lets what has begun end, and keeps the rest for the next start. The machines are the hypervisor's to stop. */
async function close(
  { world, planes, eventGrid, closeDatabase }: Core,
  { https, identity, portal }: Listeners,
): Promise<void> {
  await Promise.all([https.close(), identity.close(), portal.close()]);
  const operations = world.operations.close();
  // Handshakes with webhooks that do not answer would hold operations up.
  await eventGrid.close();
  await operations;
  await world.power.settle();
  await planes.close();
  closeDatabase();
}
