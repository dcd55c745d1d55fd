import { readFileSync } from "node:fs";
import type { QueueOptions, SubscriptionOptions, TopicOptions } from "./entity-options";
import { checkEntities } from "./entity-checks";
import {
  expectKeys,
  expectObject,
  expectText,
  PropertyError,
  queueOptionsOf,
  subscriptionOptionsOf,
  topicOptionsOf,
  type RawProperties,
} from "./entity-properties";
import { correlationFields, Rules, type RuleOptions } from "./rules";
import { SqlError } from "./sql-tokens";

/** The entities of a namespace, as a configuration declares them. */
export interface EmulatorConfig {
  readonly namespace: string;
  readonly queues: readonly QueueOptions[];
  readonly topics: readonly TopicOptions[];
}

/** As many as Microsoft's emulator takes. https://github.com/Azure/azure-service-bus-emulator-installer/issues/48 */
const mostEntities = 50;
const mostSubscriptions = 50;

/**
 * Reads the `Config.json` of Microsoft's Service Bus emulator. What is not known there is refused, with its name and what would be
 * allowed. https://github.com/Azure/azure-service-bus-emulator-installer
 */
export function readEmulatorConfig(file: string): EmulatorConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new PropertyError(`${file} cannot be read as JSON: ${String(error)}`, { cause: error });
  }
  return parseEmulatorConfig(json);
}

export function parseEmulatorConfig(json: unknown): EmulatorConfig {
  const root = expectObject(json, "Config.json");
  expectKeys(root, ["UserConfig"], "Config.json");
  const user = expectObject(root["UserConfig"], "UserConfig");
  expectKeys(user, ["Namespaces", "Logging"], "UserConfig");
  const namespaces = listOf(user["Namespaces"], "UserConfig.Namespaces");
  const [first] = namespaces;
  if (first === undefined || namespaces.length > 1)
    throw new PropertyError(`UserConfig.Namespaces has ${namespaces.length} entries; allowed is exactly 1.`);
  const namespace = expectObject(first, "Namespaces[0]");
  expectKeys(namespace, ["Name", "Queues", "Topics"], "Namespaces[0]");
  const queues = listOf(namespace["Queues"], "Queues").map((queue, index) => readQueue(queue, `Queues[${index}]`));
  const topics = listOf(namespace["Topics"], "Topics").map((topic, index) => readTopic(topic, `Topics[${index}]`));
  if (queues.length + topics.length > mostEntities)
    throw new PropertyError(
      `There are ${queues.length + topics.length} queues and topics; allowed are ${mostEntities}.`,
    );
  checkEntities(queues, topics);
  return { namespace: expectText(namespace["Name"], "Namespaces[0].Name"), queues, topics };
}

function readQueue(value: unknown, where: string): QueueOptions {
  const queue = expectObject(value, where);
  expectKeys(queue, ["Name", "Properties"], where);
  return queueOptionsOf(propertiesOf(queue, where), { where, name: expectText(queue["Name"], `${where}.Name`) });
}

function readTopic(value: unknown, where: string): TopicOptions {
  const topic = expectObject(value, where);
  expectKeys(topic, ["Name", "Properties", "Subscriptions"], where);
  const options = topicOptionsOf(propertiesOf(topic, where), {
    where,
    name: expectText(topic["Name"], `${where}.Name`),
  });
  const given = listOf(topic["Subscriptions"], `${where}.Subscriptions`);
  if (given.length > mostSubscriptions)
    throw new PropertyError(`${where} has ${given.length} subscriptions; allowed are ${mostSubscriptions}.`);
  const subscriptions = given.map((one, index) => readSubscription(one, `${where}.Subscriptions[${index}]`));
  return { ...options, subscriptions };
}

function readSubscription(value: unknown, where: string): SubscriptionOptions {
  const subscription = expectObject(value, where);
  expectKeys(subscription, ["Name", "Properties", "Rules"], where);
  const name = expectText(subscription["Name"], `${where}.Name`);
  const options = subscriptionOptionsOf(propertiesOf(subscription, where), { where, name });
  if (subscription["Rules"] === undefined) return options;
  const rules = listOf(subscription["Rules"], `${where}.Rules`).map((rule, index) =>
    readRule(rule, `${where}.Rules[${index}]`),
  );
  return rules.length === 0 ? options : { ...options, rules };
}

function readRule(value: unknown, where: string): RuleOptions {
  const rule = expectObject(value, where);
  expectKeys(rule, ["Name", "Properties"], where);
  const name = expectText(rule["Name"], `${where}.Name`);
  const properties = propertiesOf(rule, where);
  expectKeys(properties, ["FilterType", "SqlFilter", "CorrelationFilter", "Action"], where);
  if (properties["Action"] !== undefined)
    throw new PropertyError(`${where}: the property Action is not built into this emulator.`);
  const options = { name, filter: readFilter(properties, where) };
  try {
    new Rules([options]);
  } catch (error) {
    if (error instanceof SqlError) throw new PropertyError(`${where}: ${error.message}`, { cause: error });
    throw error;
  }
  return options;
}

function readFilter(properties: RawProperties, where: string): RuleOptions["filter"] {
  switch (properties["FilterType"]) {
    case "Sql": {
      const filter = expectObject(properties["SqlFilter"], `${where}.SqlFilter`);
      expectKeys(filter, ["SqlExpression"], `${where}.SqlFilter`);
      return { kind: "sql", expression: expectText(filter["SqlExpression"], `${where}.SqlFilter.SqlExpression`) };
    }
    case "Correlation":
      return readCorrelation(expectObject(properties["CorrelationFilter"], `${where}.CorrelationFilter`), where);
    default:
      throw new PropertyError(
        `${where}: FilterType is ${JSON.stringify(properties["FilterType"])}; allowed are "Sql" and "Correlation".`,
      );
  }
}

function readCorrelation(filter: RawProperties, where: string): RuleOptions["filter"] {
  const names = correlationFields.map((field) => ({ field, key: field.charAt(0).toUpperCase() + field.slice(1) }));
  expectKeys(filter, [...names.map(({ key }) => key), "Properties"], `${where}.CorrelationFilter`);
  const fields = names.flatMap(({ field, key }) =>
    filter[key] === undefined ? [] : [[field, expectText(filter[key], `${where}.CorrelationFilter.${key}`)] as const],
  );
  const properties = filter["Properties"];
  const given = properties === undefined ? {} : expectObject(properties, `${where}.CorrelationFilter.Properties`);
  for (const [name, value] of Object.entries(given)) {
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new PropertyError(`${where}: the property ${name} must be a text, a number, true or false.`);
  }
  return {
    kind: "correlation",
    ...Object.fromEntries(fields),
    ...(properties !== undefined && { properties: given as Readonly<Record<string, string | number | boolean>> }),
  };
}

function propertiesOf(entity: RawProperties, where: string): RawProperties {
  return entity["Properties"] === undefined ? {} : expectObject(entity["Properties"], `${where}.Properties`);
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new PropertyError(`${where} must be a list.`);
  return value;
}
