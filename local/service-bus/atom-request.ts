import {
  PropertyError,
  queueOptionsOf,
  subscriptionOptionsOf,
  topicOptionsOf,
  type RawProperties,
} from "./entity-properties";
import type { NewEntity } from "./entity-registry";
import type { FilterValue } from "./filtered-message";
import { defaultRule, type CorrelationFilter, type RuleOptions } from "./rules";
import { childOf, parseXml, type XmlElement } from "./xml";

/** Properties that clients send and that have one value here; another one is refused. */
const fixedValues: Readonly<Record<string, readonly string[]>> = {
  Status: ["Active"],
  EnablePartitioning: ["false"],
  EnableExpress: ["false"],
  EnableBatchedOperations: ["true", "false"],
  SupportOrdering: ["true", "false"],
  EntityAvailabilityStatus: ["Available"],
  DeadLetteringOnFilterEvaluationExceptions: ["false"],
  AutoDeleteOnIdle: ["P10675199DT2H48M5.4775807S"],
  UserMetadata: [""],
};
/** Sizes are not counted here. */
const uncounted = new Set(["MaxSizeInMegabytes", "MaxMessageSizeInKilobytes"]);
/** Parts of a description that are read elsewhere. */
const elsewhere = new Set(["DefaultRuleDescription"]);

/** What a PUT of the management API asks for. */
export function entityOf(path: readonly string[], body: string): NewEntity {
  const description = descriptionOf(body);
  const properties = propertiesOf(description);
  const [first = "", subscription] = path;
  const name = subscription ?? first;
  const place = { where: description.name.replace("Description", ""), name };
  if (subscription !== undefined) {
    const rule = childOf(description, "DefaultRuleDescription");
    const options = subscriptionOptionsOf(properties, place);
    const rules = rule && [ruleFrom(rule, childOf(rule, "Name")?.text ?? defaultRule.name)];
    return { kind: "subscription", topic: first, options: { ...options, rules } };
  }
  if (description.name === "TopicDescription") return { kind: "topic", options: topicOptionsOf(properties, place) };
  if (description.name === "QueueDescription") return { kind: "queue", options: queueOptionsOf(properties, place) };
  throw new PropertyError(`${description.name} is unknown; allowed are QueueDescription and TopicDescription.`);
}

export function ruleOf(name: string, body: string): RuleOptions {
  return ruleFrom(descriptionOf(body), name);
}

function descriptionOf(body: string): XmlElement {
  const description = childOf(parseXml(body), "content")?.children[0];
  if (!description) throw new PropertyError("The entry has no content.");
  return description;
}

function propertiesOf(description: XmlElement): RawProperties {
  const properties: Record<string, string> = {};
  for (const { name, text, children } of description.children) {
    if (uncounted.has(name) || elsewhere.has(name)) continue;
    const allowed = fixedValues[name];
    if (allowed && !allowed.includes(text.trim()))
      throw new PropertyError(
        `${name} is '${text}'; this emulator allows ${allowed.map((one) => `'${one}'`).join(", ")}.`,
      );
    if (children.length > 0) throw new PropertyError(`The property ${name} is not built into this emulator.`);
    if (!allowed) properties[name] = text.trim();
  }
  return properties;
}

function ruleFrom(description: XmlElement, name: string): RuleOptions {
  const action = childOf(description, "Action");
  if (childOf(action, "SqlExpression"))
    throw new PropertyError("Actions of rules (SET, REMOVE) are not built into this emulator.");
  const filter = childOf(description, "Filter");
  if (!filter) return { ...defaultRule, name };
  const type = filter.attributes.get("type") ?? "";
  switch (type) {
    case "TrueFilter":
      return { name, filter: { kind: "sql", expression: "1=1" } };
    case "FalseFilter":
      return { name, filter: { kind: "sql", expression: "1=0" } };
    case "SqlFilter":
      if (childOf(filter, "Parameters"))
        throw new PropertyError("Parameters of SQL filters are not built into this emulator.");
      return { name, filter: { kind: "sql", expression: childOf(filter, "SqlExpression")?.text ?? "1=1" } };
    case "CorrelationFilter":
      return { name, filter: { kind: "correlation", ...correlationOf(filter) } };
    default:
      throw new PropertyError(
        `The filter ${type} is unknown; allowed are SqlFilter, TrueFilter, FalseFilter, CorrelationFilter.`,
      );
  }
}

function correlationOf(filter: XmlElement): CorrelationFilter {
  const text = (name: string) => childOf(filter, name)?.text;
  const pairs = childOf(filter, "Properties")?.children.map((pair) => {
    const value = childOf(pair, "Value");
    return [childOf(pair, "Key")?.text ?? "", valueOf(value)] as const;
  });
  return {
    correlationId: text("CorrelationId"),
    messageId: text("MessageId"),
    to: text("To"),
    replyTo: text("ReplyTo"),
    label: text("Label"),
    sessionId: text("SessionId"),
    replyToSessionId: text("ReplyToSessionId"),
    contentType: text("ContentType"),
    properties: pairs && Object.fromEntries(pairs),
  };
}

function valueOf(value: XmlElement | undefined): Exclude<FilterValue, null> {
  const type = value?.attributes.get("type")?.replace(/^.*:/, "") ?? "string";
  const text = value?.text ?? "";
  if (type === "boolean") return text === "true";
  return ["int", "long", "double", "decimal", "short", "byte"].includes(type) ? Number(text) : text;
}
