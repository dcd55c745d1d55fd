import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEmulatorConfig, readEmulatorConfig } from "../../../local/service-bus/emulator-config";
import { useEmulator } from "../../local/service-bus/emulator";
import { idsOf, nextOf, receiveAll } from "../../local/service-bus/received";

const emulator = useEmulator();

/** The file with one namespace and these entities. */
function configWith(entities: object): object {
  return { UserConfig: { Namespaces: [{ Name: "sbemulatorns", ...entities }], Logging: { Type: "File" } } };
}

const queue = (properties: object, name = "q") => configWith({ Queues: [{ Name: name, Properties: properties }] });
const rule = (properties: object) =>
  configWith({
    Topics: [{ Name: "t", Subscriptions: [{ Name: "s", Rules: [{ Name: "r", Properties: properties }] }] }],
  });

const sample = configWith({
  Queues: [
    {
      Name: "queue.1",
      Properties: {
        DeadLetteringOnMessageExpiration: true,
        DefaultMessageTimeToLive: "PT1H",
        DuplicateDetectionHistoryTimeWindow: "PT20S",
        ForwardDeadLetteredMessagesTo: "",
        ForwardTo: "",
        LockDuration: "PT1M",
        MaxDeliveryCount: 3,
        RequiresDuplicateDetection: false,
        RequiresSession: false,
      },
    },
    { Name: "sessions", Properties: { RequiresSession: true } },
  ],
  Topics: [
    {
      Name: "topic.1",
      Properties: { DefaultMessageTimeToLive: "PT1H", RequiresDuplicateDetection: true },
      Subscriptions: [
        {
          Name: "mail",
          Properties: { MaxDeliveryCount: 5, ForwardTo: "queue.1" },
          Rules: [{ Name: "r", Properties: { FilterType: "Correlation", CorrelationFilter: { Label: "mail" } } }],
        },
        {
          Name: "large",
          Rules: [{ Name: "r", Properties: { FilterType: "Sql", SqlFilter: { SqlExpression: "size > 10" } } }],
        },
        { Name: "everything" },
      ],
    },
  ],
});

it("reads queues, topics, subscriptions and rules (docs: Service Bus emulator, Config.json)", () => {
  const file = join(mkdtempSync(join(tmpdir(), "corral-bus-config-")), "Config.json");
  writeFileSync(file, JSON.stringify(sample));

  const config = readEmulatorConfig(file);
  rmSync(file);

  expect(config.namespace).toBe("sbemulatorns");
  expect(config.queues).toMatchObject([
    {
      name: "queue.1",
      lockSeconds: 60,
      maxDeliveryCount: 3,
      defaultTtlSeconds: 3600,
      deadLetteringOnMessageExpiration: true,
      duplicateDetectionSeconds: 0,
      forwardTo: undefined,
    },
    { name: "sessions", requiresSession: true },
  ]);
  expect(config.topics).toMatchObject([
    {
      name: "topic.1",
      duplicateDetectionSeconds: 600,
      subscriptions: [
        { name: "mail", forwardTo: "queue.1", rules: [{ name: "r", filter: { kind: "correlation", label: "mail" } }] },
        { name: "large", rules: [{ name: "r", filter: { kind: "sql", expression: "size > 10" } }] },
        { name: "everything" },
      ],
    },
  ]);
});

it("serves what a file declares (@azure/service-bus 7.9.5, docs: Service Bus emulator)", async () => {
  const { queues, topics } = parseEmulatorConfig(sample);
  await emulator.start({ queues, topics, dataFile: join(emulator.folder, "config.sqlite") });
  const client = emulator.connect();

  await client.createSender("topic.1").sendMessages([
    { messageId: "m1", body: 1, subject: "mail" },
    { messageId: "m2", body: 2, applicationProperties: { size: 11 } },
  ]);
  const mail = await nextOf(client.createReceiver("queue.1"));
  const large = await nextOf(client.createReceiver("topic.1", "large"));
  const all = await receiveAll(client.createReceiver("topic.1", "everything"), 2);

  expect([mail.messageId, large.messageId, idsOf(all)]).toEqual(["m1", "m2", ["m1", "m2"]]);
});

it.each([
  ["an unknown property", queue({ LockDuraton: "PT1M" }), "LockDuraton is unknown; allowed are LockDuration, "],
  [
    "a lock that is too short",
    queue({ LockDuration: "PT1S" }),
    'LockDuration is "PT1S"; allowed are ISO 8601 durations from PT5S to PT5M',
  ],
  ["no duration", queue({ DefaultMessageTimeToLive: "1 hour" }), "DefaultMessageTimeToLive is"],
  [
    "too many deliveries",
    queue({ MaxDeliveryCount: 2001 }),
    "MaxDeliveryCount is 2001; allowed are whole numbers from 1 to 2000",
  ],
  [
    "a flag that is none",
    queue({ RequiresSession: "maybe" }),
    'RequiresSession is "maybe"; allowed are true and false',
  ],
  ["a window that is too short", queue({ DuplicateDetectionHistoryTimeWindow: "PT1S" }), "from PT20S to P7D"],
  ["a bad name", queue({}, "a b"), "'a b' is no name of an entity; allowed are"],
  ["forwarding to nowhere", queue({ ForwardTo: "x" }), "forwardTo of q names x, which is neither a queue nor a topic"],
  ["no namespace", { UserConfig: { Namespaces: [] } }, "UserConfig.Namespaces has 0 entries; allowed is exactly 1"],
  ["another root", { Config: {} }, "the property Config is unknown; allowed are UserConfig"],
  ["an unknown filter", rule({ FilterType: "Xml" }), 'FilterType is "Xml"; allowed are "Sql" and "Correlation"'],
  ["SQL that is none", rule({ FilterType: "Sql", SqlFilter: { SqlExpression: "a >" } }), "Unexpected 'the end'"],
  ["an action", rule({ FilterType: "Sql", SqlFilter: { SqlExpression: "1=1" }, Action: {} }), "Action is not built"],
  [
    "an unknown field of a filter",
    rule({ FilterType: "Correlation", CorrelationFilter: { Subject: "a" } }),
    "Subject is unknown; allowed are CorrelationId",
  ],
  [
    "too many entities",
    configWith({ Queues: Array.from({ length: 51 }, (_, n) => ({ Name: `q${n}` })) }),
    "There are 51 queues and topics; allowed are 50",
  ],
  [
    "the same name twice",
    configWith({ Queues: [{ Name: "a" }], Topics: [{ Name: "A" }] }),
    "the entity a is declared twice",
  ],
])(
  "refuses a file with %s, and says what is allowed (docs: Service Bus emulator, Config.json)",
  (_what, config, reason) => {
    expect(() => parseEmulatorConfig(config)).toThrow(reason);
  },
);
