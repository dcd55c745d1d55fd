import { createServer, type AddressInfo } from "node:net";
import { createHmac } from "node:crypto";
import { create_container, type EventContext } from "rhea";
import { checkToken, covers } from "../../../local/service-bus/sas-token";
import { useEmulator } from "./emulator";

const emulator = useEmulator();
const once = { maxRetries: 0, timeoutInMs: 3000 };

function token(resource: string, expiresAtSeconds = 2_000_000_000): string {
  const sr = encodeURIComponent(resource);
  const signature = createHmac("sha256", "c2VjcmV0").update(`${sr}\n${expiresAtSeconds}`).digest("base64");
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${expiresAtSeconds}&skn=Root`;
}

it("refuses a client whose key is wrong", async () => {
  const wrong = emulator.server().connectionString.replace("c2VjcmV0", "Z3Vlc3NlZA==");

  const sending = emulator.connect(wrong, once).createSender("jobs").sendMessages({ body: 1 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
  expect(emulator.server().counts("jobs").active).toBe(0);
});

it("refuses a client whose token has expired", async () => {
  const expired = token(`sb://127.0.0.1:${emulator.server().port}/jobs`, 1000);
  const endpoint = `Endpoint=sb://127.0.0.1:${emulator.server().port};UseDevelopmentEmulator=true`;

  const client = emulator.connect(`${endpoint};SharedAccessSignature=${expired}`, once);
  const sending = client.createSender("jobs").sendMessages({ body: 1 });

  await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
});

it.each(["sender", "receiver"])("says that a queue does not exist to a %s", async (kind) => {
  const client = emulator.connect(undefined, once);

  const using =
    kind === "sender"
      ? client.createSender("nowhere").sendMessages({ body: 1 })
      : client.createReceiver("nowhere").receiveMessages(1, { maxWaitTimeInMs: 100 });

  await expect(using).rejects.toMatchObject({ code: "MessagingEntityNotFound" });
});

it.each([
  ["sends", "open_sender", "sender_error"],
  ["receives", "open_receiver", "receiver_error"],
] as const)("cuts the link of a client that %s without having put a token", async (_what, open, refusal) => {
  const container = create_container();
  const connection = container.connect({
    port: emulator.server().port,
    host: "127.0.0.1",
    username: "anyone",
    reconnect: false,
  });

  const refused = new Promise<EventContext>((resolve) => connection.once(refusal, resolve));
  connection[open]("jobs");
  const { sender, receiver } = await refused;
  const closed = new Promise((resolve) => connection.once("connection_close", resolve));
  connection.close();
  await closed;

  expect((sender ?? receiver)?.error).toMatchObject({ condition: "amqp:unauthorized-access" });
});

it("refuses a session on a queue without sessions", async () => {
  const container = create_container();
  const connection = container.connect({
    port: emulator.server().port,
    host: "127.0.0.1",
    username: "anyone",
    reconnect: false,
  });
  const reply = new Promise<EventContext>((resolve) => connection.once("message", resolve));
  connection.open_receiver({ name: "replies", source: { address: "$cbs" } });
  const name = "sb://127.0.0.1/jobs";
  const application_properties = { operation: "put-token", type: "servicebus.windows.net:sastoken", name };
  const cbs = connection.open_sender("$cbs");
  cbs.once("sendable", () =>
    cbs.send({ message_id: "1", reply_to: "replies", application_properties, body: token(name) }),
  );
  const { message } = await reply;

  const refused = new Promise<EventContext>((resolve) => connection.once("receiver_error", resolve));
  connection.open_receiver({ source: { address: "jobs", filter: { "com.microsoft:session-filter": "s1" } as never } });
  const { receiver } = await refused;
  const closed = new Promise((resolve) => connection.once("connection_close", resolve));
  connection.close();
  await closed;

  expect(message?.application_properties).toEqual({ "status-code": 202, "status-description": "Accepted" });
  expect(receiver?.error).toMatchObject({ condition: "amqp:not-allowed" });
});

it("answers an operation that it does not have with 501 and its name", async () => {
  // The client offers no such operation; its management client sends what it is told.
  const { _connectionContext: context } = emulator.connect(undefined, once) as unknown as {
    _connectionContext: { getManagementClient(path: string): ManagementClient };
  };
  const management = context.getManagementClient("jobs");
  await management.initWithUniqueReplyTo({});
  const application_properties = { operation: "com.microsoft:batch-delete-messages" };

  const asking = management._makeManagementRequest(
    { body: {}, reply_to: management.replyTo, application_properties },
    { verbose: () => undefined, logError: () => undefined },
    {},
  );

  await expect(asking).rejects.toThrow("com.microsoft:batch-delete-messages is not built into this emulator");
});

interface ManagementClient {
  readonly replyTo: string;
  initWithUniqueReplyTo(options: object): Promise<unknown>;
  _makeManagementRequest(request: object, logger: object, options: object): Promise<unknown>;
}

it("names the port that is in use", async () => {
  const occupant = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => occupant.once("listening", resolve));
  const { port } = occupant.address() as AddressInfo;

  const starting = emulator.start({ port });

  await expect(starting).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the port is in use`);
  occupant.close();
});

it.each([
  ["sb://h/Jobs", "jobs", true],
  ["sb://h/Jobs", "jobs/$management", true],
  ["sb://h/", "jobs", true],
  ["sb://h/Jobs", "jobs-rejected", false],
])("a token for %s, asked to open %s: %s", (resource, path, opens) => {
  const checked = checkToken(token(resource), [{ name: "Root", value: "c2VjcmV0" }], 0);

  expect(checked.outcome === "valid" && covers(checked.claim, path)).toBe(opens);
});

it.each([
  ["a scheme of its own", "Bearer x", "MalformedToken"],
  ["no signature", "SharedAccessSignature sr=x&se=1&skn=Root", "MalformedToken"],
  ["an unknown key", token("sb://h/jobs").replace("skn=Root", "skn=Other"), "InvalidSignature"],
  ["an end that was moved", token("sb://h/jobs").replace("se=2", "se=3"), "InvalidSignature"],
  ["an end in the past", token("sb://h/jobs", 0), "ExpiredToken"],
])("refuses a token with %s", (_what, text, reason) => {
  const checked = checkToken(text, [{ name: "Root", value: "c2VjcmV0" }], 1);

  expect(checked).toMatchObject({ outcome: "refused", reason: expect.stringContaining(reason) as string });
});
