import { types, type Typed } from "rhea";
import type { FilterValue } from "./filtered-message";
import { badRequest, ok, type Body, type Operations } from "./management-reply";
import type { MessageQueue } from "./message-queue";
import type { AmqpReply } from "./request-links";
import { correlationFields, defaultRule, type CorrelationFilter, type RuleOptions } from "./rules";
import type { ServerParts } from "./server-parts";
import { SqlError } from "./sql-tokens";

/** Descriptors of the service's own types. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response */
const descriptors = {
  rule: 0x13700000004,
  emptyAction: 0x13700000005,
  sqlFilter: 0x1370000006,
  trueFilter: 0x1370000007,
  falseFilter: 0x1370000008,
  correlationFilter: 0x1370000009,
} as const;

export const ruleOperations: Operations = {
  "add-rule": { right: "Listen", run: addRule },
  "remove-rule": { right: "Listen", run: removeRule },
  "enumerate-rules": { right: "Listen", run: enumerateRules },
};

/** How the request names what a correlation filter compares. */
const wireNames: Readonly<Record<(typeof correlationFields)[number], string>> = {
  correlationId: "correlation-id",
  messageId: "message-id",
  to: "to",
  replyTo: "reply-to",
  label: "label",
  sessionId: "session-id",
  replyToSessionId: "reply-to-session-id",
  contentType: "content-type",
};

function addRule(queue: MessageQueue, body: Body, { broker }: ServerParts): AmqpReply {
  const subscription = broker.subscription(queue);
  if (!subscription) return noSubscription;
  const name = body["rule-name"];
  const description = body["rule-description"] as Body | undefined;
  if (typeof name !== "string" || typeof description !== "object")
    return badRequest("A rule needs a name and a filter.");
  if (description["sql-rule-action"] !== undefined && description["sql-rule-action"] !== null)
    return badRequest("Actions of rules (SET, REMOVE) are not built into this emulator.");
  try {
    const rule: RuleOptions = { name, filter: filterOf(description) };
    if (broker.changeRules(subscription, (rules) => rules.add(rule)) === "done") return ok();
  } catch (error) {
    if (error instanceof SqlError) return badRequest(error.message);
    throw error;
  }
  const exists = `The messaging entity '${queue.name}/rules/${name}' already exists.`;
  return { status: 409, description: exists, errorCondition: "com.microsoft:entity-already-exists" };
}

function removeRule(queue: MessageQueue, body: Body, { broker }: ServerParts): AmqpReply {
  const subscription = broker.subscription(queue);
  if (!subscription) return noSubscription;
  const name = String(body["rule-name"]);
  if (broker.changeRules(subscription, (rules) => rules.remove(name)) === "done") return ok();
  const description = `The messaging entity '${queue.name}/rules/${name}' could not be found.`;
  return { status: 404, description, errorCondition: "com.microsoft:messaging-entity-not-found" };
}

function enumerateRules(queue: MessageQueue, body: Body, { broker }: ServerParts): AmqpReply {
  const subscription = broker.subscription(queue);
  if (!subscription) return noSubscription;
  const skip = Math.max(0, Number(body["skip"] ?? 0));
  const rules = subscription.rules.list().slice(skip, skip + Number(body["top"] ?? Infinity));
  if (rules.length === 0) return { status: 204, description: "There are no rules." };
  return ok({ rules: rules.map((rule) => ({ "rule-description": encodedRule(rule) })) });
}

const noSubscription = badRequest("Only subscriptions have rules.");

function filterOf(description: Body): RuleOptions["filter"] {
  const sql = description["sql-filter"] as Body | undefined | null;
  if (sql) return { kind: "sql", expression: String(sql["expression"]) };
  const correlation = description["correlation-filter"] as Body | undefined | null;
  if (!correlation) return defaultRule.filter;
  const fields = correlationFields.flatMap((field) => {
    const value = correlation[wireNames[field]];
    return typeof value === "string" ? [[field, value] as const] : [];
  });
  const given = correlation["properties"] as Readonly<Record<string, unknown>> | undefined | null;
  const properties = Object.entries(given ?? {}).flatMap(([name, value]) =>
    isFilterValue(value) ? [[name, value] as const] : [],
  );
  const filter: CorrelationFilter = Object.fromEntries(fields);
  return {
    kind: "correlation",
    ...filter,
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
  };
}

function isFilterValue(value: unknown): value is Exclude<FilterValue, null> {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function encodedRule({ name, filter }: RuleOptions): Typed {
  const action = list(descriptors.emptyAction, []);
  return list(descriptors.rule, [encodedFilter(filter), action, types.wrap_string(name)]);
}

function encodedFilter(filter: RuleOptions["filter"]): Typed {
  if (filter.kind === "sql") {
    const compact = filter.expression.replaceAll(/\s/g, "");
    if (compact === "1=1") return list(descriptors.trueFilter, []);
    if (compact === "1=0") return list(descriptors.falseFilter, []);
    return list(descriptors.sqlFilter, [types.wrap_string(filter.expression), types.wrap_int(20)]);
  }
  const fields = correlationFields.map((field) => {
    const value = filter[field];
    return value === undefined ? types.wrap(null) : types.wrap_string(value);
  });
  return list(descriptors.correlationFilter, [...fields, types.wrap_map(filter.properties ?? {})]);
}

function list(descriptor: number, items: readonly unknown[]): Typed {
  return types.described(types.wrap_ulong(descriptor), types.wrap_list([...items])) as Typed;
}
