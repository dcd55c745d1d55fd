import type { RuleProperties, ServiceBusRuleManager } from "@azure/service-bus";
import type { ServiceBusMessage, SqlRuleFilter, CorrelationRuleFilter } from "@azure/service-bus";
import type { SubscriptionOptions } from "../../../local/service-bus/entity-options";
import { useEmulator } from "../../local/service-bus/emulator";
import { briefly, idsOf, nextOf, receiveAll } from "../../local/service-bus/received";

const subscriptions: SubscriptionOptions[] = [
  { name: "all" },
  { name: "none", rules: [{ name: "nothing", filter: { kind: "sql", expression: "1=0" } }] },
  { name: "ruled" },
  { name: "sessions", requiresSession: true },
  { name: "strict", lockSeconds: 1, maxDeliveryCount: 1, deadLetteringOnMessageExpiration: true },
];
const emulator = useEmulator({ topics: [{ name: "events", duplicateDetectionSeconds: 20, subscriptions }] });
const once = { maxRetries: 0, timeoutInMs: 2000 };
const publish = (...messages: ServiceBusMessage[]) => emulator.client().createSender("events").sendMessages(messages);
const receiver = (subscription: string) => emulator.client().createReceiver("events", subscription);
const activeIn = (subscription: string) => emulator.server().counts(`events/subscriptions/${subscription}`).active;

/** Whether a subscription with one rule gets a message. */
async function passes(filter: SqlRuleFilter | CorrelationRuleFilter, message: ServiceBusMessage): Promise<boolean> {
  const rules = emulator.client().createRuleManager("events", "ruled");
  await rules.deleteRule("$Default");
  await rules.createRule("one", filter);
  await publish(message);
  return activeIn("ruled") === 1;
}

it("copies a message to each subscription, and each settles its own (@azure/service-bus 7.9.5, docs: Topics)", async () => {
  await publish({ messageId: "m1", body: { hello: "all" }, applicationProperties: { size: 3 } });
  const own = receiver("all");

  const message = await nextOf(own);
  await own.completeMessage(message);

  expect(message).toMatchObject({ messageId: "m1", body: { hello: "all" }, applicationProperties: { size: 3 } });
  expect([activeIn("all"), activeIn("ruled"), activeIn("none")]).toEqual([0, 1, 0]);
});

it("finds a subscription whatever the case of its address (docs: Service Bus names)", async () => {
  await publish({ messageId: "m1", body: 1 });

  const message = await nextOf(emulator.client().createReceiver("EVENTS", "ALL"));

  expect(message.messageId).toBe("m1");
});

it("accepts what no subscription wants (docs: Topic filters)", async () => {
  const rules = emulator.client().createRuleManager("events", "all");
  await rules.deleteRule("$Default");

  await publish({ messageId: "m1", body: 1 });

  expect(activeIn("all")).toBe(0);
});

it("starts a subscription with the rule $Default (@azure/service-bus 7.9.5, RuleManager)", async () => {
  const rules = await rulesOf(emulator.client().createRuleManager("events", "all"));

  expect(rules).toEqual([{ name: "$Default", filter: { sqlExpression: "1=1" }, action: {} }]);
});

it("adds, lists and removes rules (@azure/service-bus 7.9.5, RuleManager)", async () => {
  const rules = emulator.client().createRuleManager("events", "ruled");

  await rules.createRule("sql", { sqlExpression: "size > 3" });
  await rules.createRule("mail", { subject: "mail", applicationProperties: { size: 1, from: "me", last: true } });
  await rules.deleteRule("$Default");
  const listed = await rulesOf(rules);

  expect(listed).toMatchObject([
    { name: "sql", filter: { sqlExpression: "size > 3" } },
    { name: "mail", filter: { subject: "mail", applicationProperties: { size: 1, from: "me", last: true } } },
  ]);
});

it("refuses a rule of the same name (@azure/service-bus 7.9.5, MessagingEntityAlreadyExists)", async () => {
  const rules = emulator.client().createRuleManager("events", "ruled");
  await rules.createRule("one", { subject: "a" });

  const again = rules.createRule("ONE", { subject: "b" });

  await expect(again).rejects.toMatchObject({ code: "MessagingEntityAlreadyExists" });
});

it("refuses to remove a rule that is not there (@azure/service-bus 7.9.5, MessagingEntityNotFound)", async () => {
  const removing = emulator.client().createRuleManager("events", "ruled").deleteRule("nowhere");

  await expect(removing).rejects.toMatchObject({ code: "MessagingEntityNotFound" });
});

it.each<[string, CorrelationRuleFilter, ServiceBusMessage, boolean]>([
  ["correlationId", { correlationId: "c" }, { body: 1, correlationId: "c" }, true],
  ["messageId", { messageId: "m" }, { body: 1, messageId: "m" }, true],
  ["to", { to: "t" }, { body: 1, to: "t" }, true],
  ["replyTo", { replyTo: "r" }, { body: 1, replyTo: "r" }, true],
  ["subject", { subject: "s" }, { body: 1, subject: "S" }, false],
  ["sessionId", { sessionId: "s1" }, { body: 1, sessionId: "s1" }, true],
  ["replyToSessionId", { replyToSessionId: "s1" }, { body: 1, replyToSessionId: "s1" }, true],
  ["contentType", { contentType: "text/plain" }, { body: 1, contentType: "text/plain" }, true],
  [
    "properties",
    { applicationProperties: { a: 1, b: "x" } },
    { body: 1, applicationProperties: { a: 1, b: "x" } },
    true,
  ],
  ["all of them", { subject: "s", to: "t" }, { body: 1, subject: "s" }, false],
])(
  "compares %s exactly (@azure/service-bus 7.9.5, CorrelationRuleFilter)",
  async (...[, filter, message, expected]) => {
    const passed = await passes(filter, message);

    expect(passed).toBe(expected);
  },
);

it.each<[string, ServiceBusMessage, boolean]>([
  ["1=1", { body: 1 }, true],
  ["1=0", { body: 1 }, false],
  ["sys.Label = 'mail' AND size >= 3", { body: 1, subject: "mail", applicationProperties: { size: 3 } }, true],
  ["color IN ('red', 'blue') OR user.size < 0", { body: 1, applicationProperties: { color: "blue" } }, true],
  ["NOT (color = 'red')", { body: 1, applicationProperties: { color: "blue" } }, true],
  ["NOT (color = 'red')", { body: 1 }, false],
  ["color IS NULL AND EXISTS(size)", { body: 1, applicationProperties: { size: 1 } }, true],
  ["sys.MessageId LIKE 'job-%' AND sys.MessageId NOT LIKE '%x_'", { body: 1, messageId: "job-17" }, true],
  ["name LIKE '100!%' ESCAPE '!'", { body: 1, applicationProperties: { name: "100%" } }, true],
  [
    "size * 2 + 1 = 7 AND \"odd name\" <> 'it''s'",
    { body: 1, applicationProperties: { size: 3, "odd name": "x" } },
    true,
  ],
  ["urgent = TRUE", { body: 1, applicationProperties: { urgent: true } }, true],
  ["size > 'three'", { body: 1, applicationProperties: { size: 3 } }, false],
])("evaluates %s (docs: SQL filter syntax)", async (sqlExpression, message, expected) => {
  const passed = await passes({ sqlExpression }, message);

  expect(passed).toBe(expected);
});

it.each([
  ["size >", "Unexpected 'the end'"],
  ["size = @limit", "Parameters (@name) are not built"],
  ["newid() = 'x'", "The function newid() is not built"],
  ["sys.Colour = 'x'", "The system property 'Colour' is unknown; allowed are MessageId"],
  ["a ; b", "unexpected ';' at position 3"],
  [`${"(".repeat(40)}1=1${")".repeat(40)}`, "nested more than 32 times"],
  ["a".repeat(1100), "at most 1024 are allowed"],
])("refuses the expression %.20s, and says why (docs: SQL filter syntax)", async (sqlExpression, reason) => {
  const adding = emulator.client().createRuleManager("events", "ruled").createRule("bad", { sqlExpression });

  await expect(adding).rejects.toThrow(reason);
});

it("refuses an action of a rule, which it does not have (docs: Topic filters and actions)", async () => {
  const rules = emulator.client().createRuleManager("events", "ruled");

  const adding = rules.createRule("acting", { sqlExpression: "1=1" }, { sqlExpression: "SET a = 1" });

  await expect(adding).rejects.toThrow("Actions of rules (SET, REMOVE) are not built into this emulator");
});

it("keeps rules that were changed over a restart (docs: Topic filters)", async () => {
  const rules = emulator.client().createRuleManager("events", "ruled");
  await rules.deleteRule("$Default");
  await rules.createRule("mail", { subject: "mail" });

  await emulator.client().close();
  await emulator.server().close();
  await emulator.start();
  emulator.connect();
  await publish({ messageId: "m1", body: 1 }, { messageId: "m2", body: 2, subject: "mail" });

  expect(idsOf(await receiveAll(receiver("ruled"), 1))).toEqual(["m2"]);
});

it("publishes what is scheduled when it is due, and not before (@azure/service-bus 7.9.5, scheduleMessages)", async () => {
  const sender = emulator.client().createSender("events");
  const [first] = await sender.scheduleMessages([{ messageId: "m1", body: 1 }], new Date(Date.now() + 60_000));
  await sender.scheduleMessages({ messageId: "m2", body: 2 }, new Date(Date.now() + 400));
  const before = activeIn("all");

  await sender.cancelScheduledMessages(first ?? []);
  const message = await nextOf(receiver("all"));

  expect([before, message.messageId]).toEqual([0, "m2"]);
  expect(emulator.server().counts("events").scheduled).toBe(0);
});

it("drops duplicates before they reach a subscription (docs: Duplicate detection)", async () => {
  await publish({ messageId: "m1", body: 1 });

  await publish({ messageId: "m1", body: 2 }, { messageId: "m2", body: 3 });

  expect(activeIn("all")).toBe(2);
});

it("gives each subscription dead letters of its own (@azure/service-bus 7.9.5, subQueueType)", async () => {
  await publish({ messageId: "m1", body: 1 });
  const own = receiver("strict");
  await own.abandonMessage(await nextOf(own));

  const dead = await nextOf(emulator.client().createReceiver("events", "strict", { subQueueType: "deadLetter" }));

  expect(dead).toMatchObject({ messageId: "m1", deadLetterReason: "MaxDeliveryCountExceeded" });
  expect(activeIn("all")).toBe(1);
});

it("serves sessions of a subscription (@azure/service-bus 7.9.5, acceptNextSession)", async () => {
  await publish({ messageId: "m1", body: 1, sessionId: "s1" });

  const session = await emulator.client().acceptNextSession("events", "sessions");
  const message = await nextOf(session);

  expect([session.sessionId, message.messageId]).toEqual(["s1", "m1"]);
});

it("dead-letters a message without a session where a subscription needs one (docs: Dead-letter queues, Session ID is null)", async () => {
  await publish({ messageId: "m1", body: 1 });

  const dead = await nextOf(emulator.client().createReceiver("events", "sessions", { subQueueType: "deadLetter" }));

  expect(dead).toMatchObject({ messageId: "m1", deadLetterReason: "Session ID is null." });
});

it("refuses a receiver on the topic itself (docs: Topics and subscriptions)", async () => {
  const receiving = emulator.connect(undefined, once).createReceiver("events").receiveMessages(1, briefly);

  await expect(receiving).rejects.toThrow(/Receive from one of its subscriptions/);
});

it("refuses a sender on a subscription (docs: Topics and subscriptions)", async () => {
  const client = emulator.connect(undefined, once);

  const sending = client.createSender("events/Subscriptions/all").sendMessages({ body: 1 });

  await expect(sending).rejects.toThrow(/sent to queues and topics/);
});

it("does not know a subscription that nobody made (@azure/service-bus 7.9.5, MessagingEntityNotFound)", async () => {
  const client = emulator.connect(undefined, once);

  const receiving = client.createReceiver("events", "nowhere").receiveMessages(1, briefly);

  await expect(receiving).rejects.toMatchObject({ code: "MessagingEntityNotFound" });
});

async function rulesOf(manager: ServiceBusRuleManager): Promise<RuleProperties[]> {
  const rules: RuleProperties[] = [];
  for await (const rule of manager.listRules()) rules.push(rule);
  return rules;
}
