import type { RuleProperties, ServiceBusRuleManager } from "@azure/service-bus";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { TokenCredential } from "@azure/identity";
import { ServiceBusAdministrationClient, ServiceBusClient } from "@azure/service-bus";
import { create_container, type EventContext } from "rhea";
import type { EntraAccess } from "../../../local/service-bus/entra-access";
import { loadOrCreateCa, type LocalTls } from "../../../local/tls/certificate-authority";
import { useEmulator } from "../../local/service-bus/emulator";
import { briefly, nextOf } from "../../local/service-bus/received";

const keys = [
  { name: "Root", value: "c2VjcmV0" },
  { name: "sender", value: "c2VuZA==", rights: ["Send"] },
  { name: "listener", value: "bGlzdGVu", rights: ["Listen"] },
  { name: "jobs-only", value: "am9icw==", rights: ["Manage"], entity: "jobs" },
] as const;
const topics = [{ name: "events", subscriptions: [{ name: "all" }] }];
const namespaceId = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n";
const emulator = useEmulator({ queues: [{ name: "jobs" }, { name: "other" }], topics, keys });
const once = { maxRetries: 0, timeoutInMs: 3000 };
const folder = mkdtempSync(join(tmpdir(), "corral-bus-tls-"));
let tls: LocalTls;
const closing: ServiceBusClient[] = [];

beforeAll(async () => {
  tls = await loadOrCreateCa(folder);
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((client) => client.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A client that signs with another of the keys. */
function as(name: (typeof keys)[number]["name"]): ServiceBusClient {
  const value = keys.find((key) => key.name === name)?.value ?? "";
  const { connectionString } = emulator.server();
  return emulator.connect(connectionString.replace("Name=Root", `Name=${name}`).replace("c2VjcmV0", value), once);
}

/** Tokens as Entra would issue them, unsigned: who checks them is told here. */
function tokenFor(principal: string, seconds = 3600): TokenCredential {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const token = `${part({ alg: "none" })}.${part({ oid: principal, exp })}.x`;
  return { getToken: () => Promise.resolve({ token, expiresOnTimestamp: exp * 1000 }) };
}

const roles: Readonly<Record<string, readonly string[]>> = {
  "data-sender": ["Microsoft.ServiceBus/namespaces/messages/send/action"],
  "data-receiver": ["Microsoft.ServiceBus/namespaces/messages/receive/action"],
  "jobs-receiver": ["Microsoft.ServiceBus/namespaces/messages/receive/action"],
};

const entra: EntraAccess = {
  namespaceId,
  identify: (authorization) => {
    const [, payload = ""] = authorization.replace("Bearer ", "").split(".");
    const { oid } = JSON.parse(Buffer.from(payload, "base64url").toString() || "{}") as { oid?: string };
    return Promise.resolve(oid === "stranger" ? undefined : oid);
  },
  allows: ({ principalId, action, scope }) => {
    if (principalId === "data-owner") return true;
    const isInScope = principalId !== "jobs-receiver" || scope === `${namespaceId}/queues/jobs`;
    return isInScope && (roles[principalId]?.includes(action) ?? false);
  },
};

async function startTls(): Promise<{ port: number; client: (credential: TokenCredential) => ServiceBusClient }> {
  const server = await emulator.start({
    dataFile: join(emulator.folder, "tls.sqlite"),
    tls: { port: 0, ...tls },
    managementPort: 0,
    entra,
  });
  const port = server.tlsPort ?? 0;
  return { port, client: (credential) => kept(new FixedHost(`localhost:${port}`, credential)) };
}

/** The client takes a host, and always port 5671: here the port of its connection is changed before it connects. */
class FixedHost extends ServiceBusClient {
  constructor(host: string, credential: TokenCredential) {
    super("localhost", credential, { retryOptions: once });
    trustAuthority(this, { host: "localhost", port: Number(host.split(":")[1]) });
  }
}

/** As NODE_EXTRA_CA_CERTS would, which counts from the start of a process only. */
function trustAuthority(client: ServiceBusClient, more: object = {}): void {
  const { _connectionContext: context } = client as unknown as { _connectionContext: Context };
  Object.assign(context.connection.options, { ...more, ca: tls.caPem });
}

interface Context {
  readonly connection: { readonly options: object };
}

function kept(client: ServiceBusClient): ServiceBusClient {
  closing.push(client);
  return client;
}

it("lets a Send key send, and nothing else (docs: Shared access authorization, Send)", async () => {
  const client = as("sender");

  await client.createSender("jobs").sendMessages({ body: 1 });
  const receiving = client.createReceiver("jobs").receiveMessages(1, briefly);

  await expect(receiving).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("lets a Listen key receive, and nothing else (docs: Shared access authorization, Listen)", async () => {
  await emulator.client().createSender("jobs").sendMessages({ messageId: "m1", body: 1 });
  const client = as("listener");

  const message = await nextOf(client.createReceiver("jobs"));
  const sending = client.createSender("jobs").sendMessages({ body: 2 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(message.messageId).toBe("m1");
});

it("lets a Send key schedule, though not peek (docs: Shared access authorization)", async () => {
  const client = as("sender");

  await client.createSender("jobs").scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000));
  const peeking = client.createReceiver("jobs").peekMessages(1);

  await expect(peeking).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(emulator.server().counts("jobs").scheduled).toBe(1);
});

it("lets a Listen key manage the rules of a subscription (@azure/service-bus 7.9.5, RuleManager needs Listen only)", async () => {
  const rules = await rulesOf(as("listener").createRuleManager("events", "all"));

  expect(rules.map(({ name }) => name)).toEqual(["$Default"]);
});

it("keeps the key of one entity to that entity (docs: Shared access authorization, entity level)", async () => {
  const client = as("jobs-only");

  await client.createSender("jobs").sendMessages({ body: 1 });
  const sending = client.createSender("other").sendMessages({ body: 2 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(emulator.server().counts("other").active).toBe(0);
});

it("speaks AMQP over TLS with a certificate of the stack's authority (docs: AMQP protocol guide, TLS)", async () => {
  const { port } = await startTls();

  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: tls.caPem });
  const header = new Promise<Buffer>((resolve) => socket.once("data", resolve));
  socket.write(Buffer.from("AMQP\x03\x01\x00\x00", "latin1"));
  const answer = await header;
  const isTrusted = socket.authorized;
  socket.destroy();

  expect(answer.toString("latin1").startsWith("AMQP\x03\x01\x00\x00")).toBe(true);
  expect(isTrusted).toBe(true);
});

it("goes on when somebody speaks plainly to the TLS port (docs: AMQP protocol guide, TLS)", async () => {
  const { port, client } = await startTls();

  const socket = (await import("node:net")).connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.write("AMQP\x00\x01\x00\x00 and no TLS");
  await closed;
  await client(tokenFor("data-sender")).createSender("jobs").sendMessages({ body: 1 });

  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("lets a principal with Azure Service Bus Data Sender send, and not receive (@azure/service-bus 7.9.5 with a TokenCredential)", async () => {
  const client = (await startTls()).client(tokenFor("data-sender"));

  await client.createSender("jobs").sendMessages({ body: 1 });
  const receiving = client.createReceiver("jobs").receiveMessages(1, briefly);

  await expect(receiving).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(emulator.server().counts("jobs").active).toBe(1);
});

it("lets a principal with Azure Service Bus Data Receiver receive, and not send (@azure/service-bus 7.9.5 with a TokenCredential)", async () => {
  const bus = await startTls();
  await bus.client(tokenFor("data-owner")).createSender("jobs").sendMessages({ messageId: "m1", body: 1 });
  const client = bus.client(tokenFor("data-receiver"));

  const message = await nextOf(client.createReceiver("jobs"));
  const sending = client.createSender("jobs").sendMessages({ body: 1 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(message.messageId).toBe("m1");
});

it("heeds the scope of a role assignment (docs: Authenticate with Microsoft Entra ID, resource scope)", async () => {
  const client = (await startTls()).client(tokenFor("jobs-receiver"));

  const jobs = await client.createReceiver("jobs").receiveMessages(1, briefly);
  const other = client.createReceiver("other").receiveMessages(1, briefly);

  await expect(other).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(jobs).toEqual([]);
});

it("refuses a token of a principal that nobody knows (@azure/service-bus 7.9.5 with a TokenCredential)", async () => {
  const client = (await startTls()).client(tokenFor("stranger"));

  const sending = client.createSender("jobs").sendMessages({ body: 1 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
});

it("closes the links of a token that has ended (docs: AMQP protocol guide, claims-based security)", async () => {
  const container = create_container();
  const connection = container.connect({
    ...{ port: emulator.server().port, host: "127.0.0.1", username: "anyone", reconnect: false },
  });
  const refused = new Promise<EventContext>((resolve) => connection.once("receiver_error", resolve));
  const reply = new Promise<EventContext>((resolve) => connection.once("message", resolve));
  connection.open_receiver({ name: "replies", source: { address: "$cbs" } });
  const properties = { operation: "put-token", type: "servicebus.windows.net:sastoken", name: "sb://127.0.0.1/jobs" };
  const request = { message_id: "1", reply_to: "replies", application_properties: properties, body: sasToken(2) };
  const cbs = connection.open_sender("$cbs");
  cbs.once("sendable", () => cbs.send(request));
  await reply;

  const opened = new Promise((resolve) => connection.once("receiver_open", resolve));
  connection.open_receiver("jobs");
  await opened;
  const { receiver } = await refused;
  const closed = new Promise((resolve) => connection.once("connection_close", resolve));
  connection.close();
  await closed;

  expect(receiver?.error).toMatchObject({ condition: "amqp:unauthorized-access" });
});

/** A token for `jobs` that ends so soon. */
function sasToken(seconds: number): string {
  const sr = encodeURIComponent("sb://127.0.0.1/jobs");
  const end = Math.floor(Date.now() / 1000) + seconds;
  const signature = createHmac("sha256", "c2VjcmV0").update(`${sr}\n${end}`).digest("base64");
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${end}&skn=Root`;
}

it("lets only managers use the management API (@azure/service-bus 7.9.5, UnauthorizedRequestError)", async () => {
  await startTls();
  const owner = emulator.server().managementConnectionString ?? "";
  const sender = owner.replace("Name=Root", "Name=sender").replace("c2VjcmV0", "c2VuZA==");
  const options = { tlsOptions: { ca: tls.caPem } };

  const seen = await new ServiceBusAdministrationClient(owner, options).queueExists("jobs");
  const refused = new ServiceBusAdministrationClient(sender, options).getQueue("jobs");

  await expect(refused).rejects.toMatchObject({ code: "UnauthorizedRequestError", statusCode: 401 });
  expect(seen).toBe(true);
});

it.each([
  ["takes", "c2VjcmV0", undefined],
  ["refuses", "d3Jvbmc=", { code: "UnauthorizedAccess" }],
])("%s a SAS token on the TLS port by its signature (@azure/service-bus 7.9.5)", async (_does, key, refusal) => {
  await startTls();
  const connectionString = emulator.server().tlsConnectionString?.replace("c2VjcmV0", key) ?? "";
  const client = kept(new ServiceBusClient(connectionString, { retryOptions: once }));
  trustAuthority(client);

  const sent = await client
    .createSender("jobs")
    .sendMessages({ body: 1 })
    .catch((error: unknown) => error);

  if (refusal) expect(sent).toMatchObject(refusal);
  expect(emulator.server().counts("jobs").active).toBe(refusal ? 0 : 1);
});

async function rulesOf(manager: ServiceBusRuleManager): Promise<RuleProperties[]> {
  const rules: RuleProperties[] = [];
  for await (const rule of manager.listRules()) rules.push(rule);
  return rules;
}
