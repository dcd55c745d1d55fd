import { createServer } from "node:http";
import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ServiceBusClient } from "@azure/service-bus";
import { FaultPlan } from "../../../local/faults/fault-plan";
import { connectionOf } from "../../../local/host/connection";
import { startServiceBus } from "../../../local/service-bus/service-bus";
import { loadOrCreateCa } from "../../../local/tls/certificate-authority";
import { TestApp, endAppsAfterEach, temporaryFolder, until } from "../../local/host/support";

// Apps end before what they call does.
endAppsAfterEach();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** The managed identity endpoint of an app, and what it was asked. */
function identityEndpoint(token: string): { server: Server; wanted: string[] } {
  const wanted: string[] = [];
  const server = createServer((request, response) => {
    wanted.push(`${request.url ?? ""} ${String(request.headers["x-identity-header"])}`);
    const expires = Math.floor(Date.now() / 1000) + 3600;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ access_token: token, expires_on: String(expires), token_type: "Bearer" }));
  });
  return { server, wanted };
}

function unsignedToken(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

function read(settings: Readonly<Record<string, string>>): unknown {
  return connectionOf({
    ...{ functionName: "onMessage", name: "Bus", what: "a Service Bus connection string", settings },
    endpoint: (property) => property("fullyQualifiedNamespace"),
  });
}

it.each([
  ["a connection string", { Bus: "Endpoint=sb://x" }, { kind: "string", connectionString: "Endpoint=sb://x" }],
  ["a name with the prefix AzureWebJobs", { AzureWebJobsBus: "Endpoint=sb://x" }, { kind: "string" }],
  [
    "an identity",
    { Bus__fullyQualifiedNamespace: "x.servicebus.windows.net" },
    { kind: "identity", endpoint: "x.servicebus.windows.net" },
  ],
  ["an identity by colons", { "Bus:fullyQualifiedNamespace": "y" }, { kind: "identity", endpoint: "y" }],
])("reads %s (docs: Azure Functions developer guide, connections)", (_what, settings, expected) => {
  expect(read(settings as Record<string, string>)).toMatchObject(expected);
});

it("names the function and the setting that is missing (docs: Azure Functions developer guide, connections)", () => {
  expect(() => read({ Other: "x" })).toThrow("Function 'onMessage' needs the setting 'Bus'");
});

it("reaches a queue service with the token of the managed identity that a connection names (docs: Azure Functions developer guide, identity-based connections)", async () => {
  const { wanted, server: identity } = identityEndpoint("token-1");
  const called: (string | undefined)[] = [];
  const tls = await loadOrCreateCa(temporaryFolder());
  const queues = createTlsServer(tls, (request, response) => {
    called.push(`${request.url?.split("?")[0] ?? ""} ${request.headers.authorization ?? ""}`);
    response.writeHead(404, { "x-ms-error-code": "QueueNotFound" }).end();
  });
  const [identityPort, queuePort] = [await portOf(identity), await portOf(queues)];
  await TestApp.start("storage-queue", {
    env: {
      AzureWebJobsStorage: "",
      AzureWebJobsStorage__queueServiceUri: `https://localhost:${queuePort}/account`,
      AzureWebJobsStorage__credential: "managedidentity",
      AzureWebJobsStorage__clientId: "11111111-2222-3333-4444-555555555555",
      ...{ IDENTITY_ENDPOINT: `http://127.0.0.1:${identityPort}/msi/token`, IDENTITY_HEADER: "header-1" },
      ...{ NODE_EXTRA_CA_CERTS: tls.caFile, ORDERS: "orders" },
    },
  });
  await until(
    () => called,
    ({ length }) => length > 0,
  );

  expect(wanted[0]).toContain("client_id=11111111-2222-3333-4444-555555555555");
  expect(decodeURIComponent(wanted[0] ?? "")).toContain("resource=https://storage.azure.com");
  expect(wanted[0]).toContain("header-1");
  expect(called).toContain("/account/orders/messages Bearer token-1");
});

it("takes messages by the managed identity of the app (docs: Azure Functions developer guide, identity-based connections)", async () => {
  const token = unsignedToken({ oid: "the-app", exp: Math.floor(Date.now() / 1000) + 3600 });
  const { server: identity } = identityEndpoint(token);
  const folder = temporaryFolder();
  const tls = await loadOrCreateCa(folder);
  const asked: string[] = [];
  const broker = await startServiceBus({
    ...{ port: 0, dataFile: join(folder, "bus.sqlite"), queues: [{ name: "jobs" }], faults: new FaultPlan() },
    ...{ keys: [{ name: "Root", value: "c2VjcmV0" }], tls: { port: 0, ...tls }, log: () => undefined },
    entra: {
      namespaceId: "/namespaces/bus",
      identify: (authorization) => Promise.resolve(authorization === `Bearer ${token}` ? "the-app" : undefined),
      allows: ({ principalId, action }) => asked.push(`${principalId} ${action}`) > 0,
    },
  });
  const app = await TestApp.start("queue", {
    env: {
      ...{ QUEUE: "jobs", Bus__fullyQualifiedNamespace: `localhost:${broker.tlsPort ?? 0}` },
      ...{ Bus__credential: "managedidentity", NODE_EXTRA_CA_CERTS: tls.caFile },
      ...{ IDENTITY_ENDPOINT: `http://127.0.0.1:${await portOf(identity)}/msi/token`, IDENTITY_HEADER: "header-1" },
    },
  });
  const client = new ServiceBusClient(broker.connectionString);
  await client.createSender("jobs").sendMessages({ body: { n: 1 } });
  const seen = await until(
    async () => (await app.json("/seen")) as { message: unknown }[],
    ({ length }) => length > 0,
  );
  await app.kill("SIGTERM");
  await client.close();
  await broker.close();

  expect(seen).toMatchObject([{ message: { n: 1 } }]);
  expect(asked).toContain("the-app Microsoft.ServiceBus/namespaces/messages/receive/action");
});
