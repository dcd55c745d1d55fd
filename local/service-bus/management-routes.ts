import {
  entityEntry,
  entryDocument,
  errorDocument,
  feedDocument,
  namespaceEntry,
  ruleEntry,
  type AtomContext,
  type AtomEntry,
} from "./atom";
import { entityOf, ruleOf } from "./atom-request";
import type { Broker, Entity } from "./broker";
import { PropertyError } from "./entity-properties";
import type { EntityRegistry } from "./entity-registry";
import { SqlError } from "./sql-tokens";
import { XmlError } from "./xml";

export interface ManagementRequest {
  readonly method: string;
  readonly url: URL;
  readonly isUpdate: boolean;
  readonly body: string;
}

export interface ManagementReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface ManagementParts {
  readonly broker: Broker;
  readonly registry: EntityRegistry;
  readonly startedAt: number;
}

const entryType = "application/atom+xml;type=entry;charset=utf-8";
const feedType = "application/atom+xml;type=feed;charset=utf-8";
const mostListed = 100;

type Subscription = Extract<Entity, { kind: "subscription" }>;

/** The management API over HTTP: entities as Atom entries. https://learn.microsoft.com/rest/api/servicebus/ */
export class ManagementRoutes {
  constructor(private readonly parts: ManagementParts) {}

  answer(request: ManagementRequest): ManagementReply {
    try {
      return this.route(request, segmentsOf(request.url));
    } catch (error) {
      if (
        error instanceof PropertyError ||
        error instanceof SqlError ||
        error instanceof XmlError ||
        error instanceof URIError
      )
        return refusal(400, error.message);
      throw error;
    }
  }

  private route(request: ManagementRequest, path: readonly string[]): ManagementReply {
    const [first = "", kind = "", subscription = "", rules, rule] = path;
    const isGet = request.method === "GET";
    if (isGet && first.toLowerCase() === "$namespaceinfo")
      return entry(namespaceEntry(this.parts.startedAt), this.context(request));
    if (isGet && first.toLowerCase() === "$resources")
      return this.list(request, this.resources(kind, this.context(request)));
    if (kind.toLowerCase() !== "subscriptions") return this.entity(request, [path.join("/")]);
    if (subscription === "") return this.subscriptions(request, first);
    if (rules === undefined) return this.entity(request, [first, subscription]);
    if (rules.toLowerCase() !== "rules" || path.length > 5) return notFound(path.join("/"));
    return this.rules(request, `${first}/Subscriptions/${subscription}`, rule);
  }

  private resources(kind: string, context: AtomContext): AtomEntry[] | undefined {
    const wanted = { queues: "queue", topics: "topic" }[kind.toLowerCase()];
    if (wanted === undefined) return undefined;
    return this.parts.broker
      .listEntities()
      .filter((one) => one.kind === wanted)
      .map((one) => entityEntry(one, context));
  }

  private subscriptions(request: ManagementRequest, topic: string): ManagementReply {
    const { broker } = this.parts;
    if (request.method !== "GET") return refusal(405, `${request.method} is not allowed here.`);
    if (broker.entity(topic)?.kind !== "topic") return notFound(topic);
    return this.list(
      request,
      broker.subscriptionsOf(topic).map((one) => entityEntry(one, this.context(request))),
    );
  }

  private entity(request: ManagementRequest, path: readonly string[]): ManagementReply {
    const { broker, registry } = this.parts;
    const address = path.join("/Subscriptions/");
    const found = broker.entity(address);
    switch (request.method) {
      case "GET":
        return found ? entry(entityEntry(found, this.context(request)), this.context(request)) : notFound(address);
      case "PUT": {
        if (request.isUpdate) return refusal(501, "Updates of entities are not built into this emulator.");
        if (found) return refusal(409, `SubCode=40900. Conflict: the entity ${address} already exists.`);
        const [topic = "", subscription] = path;
        if (subscription !== undefined && broker.entity(topic)?.kind !== "topic") return notFound(topic);
        registry.create(entityOf(path, request.body));
        const created = broker.entity(address);
        return created
          ? entry(entityEntry(created, this.context(request)), this.context(request), 201)
          : notFound(address);
      }
      case "DELETE":
        return registry.remove(address) ? { status: 200, contentType: entryType, body: "" } : notFound(address);
      default:
        return refusal(405, `${request.method} is not allowed here.`);
    }
  }

  private rules(request: ManagementRequest, address: string, name: string | undefined): ManagementReply {
    const { broker } = this.parts;
    const subscription = broker.entity(address);
    if (subscription?.kind !== "subscription") return notFound(address);
    if (name === undefined) {
      const rules = subscription.rules.list().map((rule) => ruleEntry(address, rule));
      return request.method === "GET"
        ? this.list(request, rules)
        : refusal(405, `${request.method} is not allowed here.`);
    }
    return this.rule(request, subscription, { address, name });
  }

  private rule(
    request: ManagementRequest,
    subscription: Subscription,
    { address, name }: { address: string; name: string },
  ): ManagementReply {
    const { broker } = this.parts;
    const find = () => subscription.rules.list().find((rule) => rule.name.toLowerCase() === name.toLowerCase());
    const found = find();
    switch (request.method) {
      case "GET":
        return found ? entry(ruleEntry(address, found), this.context(request)) : notFound(`${address}/Rules/${name}`);
      case "PUT": {
        if (request.isUpdate) return refusal(501, "Updates of rules are not built into this emulator.");
        const rule = ruleOf(name, request.body);
        if (broker.changeRules(subscription, (rules) => rules.add(rule)) === "exists")
          return refusal(409, `SubCode=40900. Conflict: the rule ${name} already exists.`);
        return entry(ruleEntry(address, rule), this.context(request), 201);
      }
      case "DELETE":
        broker.changeRules(subscription, (rules) => rules.remove(name));
        return found ? { status: 200, contentType: entryType, body: "" } : notFound(`${address}/Rules/${name}`);
      default:
        return refusal(405, `${request.method} is not allowed here.`);
    }
  }

  private list(request: ManagementRequest, entries: readonly AtomEntry[] | undefined): ManagementReply {
    if (!entries) return notFound(request.url.pathname);
    const { searchParams } = request.url;
    const skip = countOf(searchParams.get("$skip"), 0);
    const top = Math.min(countOf(searchParams.get("$top"), mostListed), mostListed);
    const page = entries.slice(skip, skip + top);
    const next = new URL(request.url);
    next.searchParams.set("$skip", String(skip + page.length));
    const links = { self: request.url.href, next: skip + page.length < entries.length ? next.href : undefined };
    return { status: 200, contentType: feedType, body: feedDocument(page, this.context(request), links) };
  }

  private context({ url }: ManagementRequest): AtomContext {
    const { broker, startedAt } = this.parts;
    return { origin: url.origin, startedAt, subscriptionCount: (topic) => broker.subscriptionsOf(topic).length };
  }
}

export function refusal(status: number, detail: string): ManagementReply {
  return { status, contentType: "application/xml; charset=utf-8", body: errorDocument(status, detail) };
}

function notFound(path: string): ManagementReply {
  return refusal(404, `The messaging entity '${path}' could not be found.`);
}

function entry(one: AtomEntry, context: AtomContext, status = 200): ManagementReply {
  return { status, contentType: entryType, body: entryDocument(one, context) };
}

/** The names of queues and topics may hold slashes: everything before `/Subscriptions/` is one segment. */
function segmentsOf(url: URL): string[] {
  const segments = url.pathname
    .split("/")
    .map(decodeURIComponent)
    .filter((segment) => segment !== "");
  const at = segments.findIndex((segment, index) => index > 0 && segment.toLowerCase() === "subscriptions");
  return at < 0 ? segments : [segments.slice(0, at).join("/"), ...segments.slice(at)];
}

function countOf(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}
