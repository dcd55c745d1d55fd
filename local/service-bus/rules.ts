import type { FilteredMessage, FilterValue } from "./filtered-message";
import { parseSqlFilter } from "./sql-filter";

/** All that is named must be equal; at least one thing must be named. */
export interface CorrelationFilter {
  readonly correlationId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly to?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly label?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly replyToSessionId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly properties?: Readonly<Record<string, Exclude<FilterValue, null>>> | undefined;
}

export interface RuleOptions {
  readonly name: string;
  readonly filter:
    { readonly kind: "sql"; readonly expression: string } | ({ readonly kind: "correlation" } & CorrelationFilter);
}

/** The rule that a subscription has when it is made without any. */
export const defaultRule: RuleOptions = { name: "$Default", filter: { kind: "sql", expression: "1=1" } };

export type RuleChange = "done" | "exists" | "missing";

/** In the order in which the service lists them. */
export const correlationFields = [
  "correlationId",
  "messageId",
  "to",
  "replyTo",
  "label",
  "sessionId",
  "replyToSessionId",
  "contentType",
] as const;

/** Which messages of its topic a subscription gets: those that any of its rules lets through. */
export class Rules {
  private readonly rules = new Map<string, { readonly options: RuleOptions; readonly matches: Matcher }>();

  constructor(rules: readonly RuleOptions[]) {
    for (const rule of rules) this.add(rule);
  }

  /** Throws a SqlError when the rule's expression is not understood. */
  add(options: RuleOptions): RuleChange {
    const key = options.name.toLowerCase();
    if (this.rules.has(key)) return "exists";
    this.rules.set(key, { options, matches: matcherOf(options) });
    return "done";
  }

  remove(name: string): RuleChange {
    return this.rules.delete(name.toLowerCase()) ? "done" : "missing";
  }

  list(): RuleOptions[] {
    return [...this.rules.values()].map(({ options }) => options);
  }

  matches(message: FilteredMessage): boolean {
    for (const rule of this.rules.values()) if (rule.matches(message)) return true;
    return false;
  }
}

type Matcher = (message: FilteredMessage) => boolean;

function matcherOf({ filter }: RuleOptions): Matcher {
  if (filter.kind === "sql") return parseSqlFilter(filter.expression);
  const wanted = correlationFields.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  const properties = Object.entries(filter.properties ?? {});
  return ({ system, user }) =>
    wanted.every(([name, value]) => system.get(name) === value) &&
    properties.every(([name, value]) => user.get(name) === value);
}
