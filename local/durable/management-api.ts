import { randomUUID } from "node:crypto";
import { linksOf } from "./client-binding";
import type { LinkOptions } from "./client-binding";
import { missing } from "./episode";
import type { DurableFunctions } from "./functions";
import { FINISHED } from "./journal";
import type { InstanceFilter, InstanceRow } from "./journal";
import { statusOf } from "./status";
import type { Delivery, TaskHub } from "./task-hub";

export interface ManagementRequest {
  readonly method: string;
  /** Decoded path segments after the API's root. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
  readonly contentType: string;
  readonly continuationToken: string | undefined;
}

export interface ManagementReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DELIVERY_STATUS: Readonly<Record<Delivery, number>> = { accepted: 202, finished: 410, unknown: 404 };
const DEFAULT_PAGE = 1_000;

/** The HTTP API of Durable Functions: the SDK's client speaks it, and so do the links that a starter hands out. */
export class ManagementApi {
  constructor(
    private readonly hub: TaskHub,
    private readonly functions: DurableFunctions,
    private readonly links: LinkOptions,
  ) {}

  async serve(request: ManagementRequest): Promise<ManagementReply> {
    const [collection, first, action, argument] = request.path;
    if (collection === "orchestrators" && first !== undefined && request.method === "POST")
      return this.start(request, first, action);
    if (collection === "entities")
      return { status: 501, body: { Message: "entities are not simulated yet by this host" } };
    if (collection !== "instances") return { status: 404 };
    if (first === undefined || first === "") return this.serveAll(request);
    if (action === undefined) return this.serveOne(request, first);
    if (request.method !== "POST") return { status: 405 };
    return this.act(request, { id: first, action, argument });
  }

  private async start(request: ManagementRequest, name: string, givenId: string | undefined): Promise<ManagementReply> {
    if (!this.functions.has("orchestration", name))
      return { status: 400, body: { Message: missing("orchestration", name, this.functions) } };
    const input = jsonTextOf(request.body);
    if (input === undefined) return { status: 400, body: { Message: "the input is not JSON" } };
    const id = givenId !== undefined && givenId !== "" ? givenId : randomUUID().replaceAll("-", "");
    if (!isValidId(id)) return { status: 400, body: { Message: `'${id}' is no valid instance id` } };
    const outcome = await this.hub.start({ name, id, input, version: request.query.get("version") ?? "" });
    if (outcome === "conflict")
      return {
        status: 409,
        body: { Message: `An Orchestration instance with the status Running already exists: ${id}` },
      };
    return this.accepted(request, id);
  }

  /** With `timeout` the caller waits for the end; otherwise it gets the links at once. */
  private async accepted({ query }: ManagementRequest, id: string): Promise<ManagementReply> {
    const links = linksOf(this.links, id);
    const timeoutSeconds = Number(query.get("timeout") ?? 0);
    if (timeoutSeconds > 0) {
      await this.hub.waitForEnd(id, timeoutSeconds * 1000);
      const row = this.hub.journal.instanceById(id);
      if (row?.status === "Completed") return { status: 200, body: JSON.parse(row.output ?? "null") as unknown };
      if (row && FINISHED.includes(row.status))
        return { status: row.status === "Failed" ? 500 : 200, body: statusOf(row) };
    }
    return { status: 202, body: links, headers: { location: links["statusQueryGetUri"] ?? "", "retry-after": "10" } };
  }

  private async serveOne({ method, query }: ManagementRequest, id: string): Promise<ManagementReply> {
    if (method === "DELETE") return purged(await this.hub.purge([id]));
    if (method !== "GET") return { status: 405 };
    const row = this.hub.journal.instanceById(id);
    if (!row) return { status: 404, body: { Message: `No instance with the id '${id}'` } };
    const history = isTrue(query, "showHistory") ? this.hub.journal.historyOf(row.iid) : undefined;
    const body = statusOf(row, {
      history,
      showOutput: isTrue(query, "showHistoryOutput"),
      showInput: query.get("showInput") !== "false",
    });
    return this.withStatusCode(row, body, isTrue(query, "returnInternalServerErrorOnFailure"));
  }

  private withStatusCode({ id, status }: InstanceRow, body: unknown, failureIsError: boolean): ManagementReply {
    if (FINISHED.includes(status)) return { status: status === "Failed" && failureIsError ? 500 : 200, body };
    const location = linksOf(this.links, id)["statusQueryGetUri"] ?? "";
    return { status: 202, body, headers: { location, "retry-after": "5" } };
  }

  private async serveAll(request: ManagementRequest): Promise<ManagementReply> {
    const filter = filterOf(request);
    if (request.method === "DELETE") {
      const finished = filter.statuses.length > 0 ? filter.statuses : FINISHED;
      return purged(
        await this.hub.purge(this.hub.journal.find({ ...filter, statuses: finished, top: -1 }).map(({ id }) => id)),
      );
    }
    if (request.method !== "GET") return { status: 405 };
    const rows = this.hub.journal.find(filter);
    const last = rows.length === filter.top ? rows.at(-1) : undefined;
    const showInput = request.query.get("showInput") !== "false";
    return {
      status: 200,
      body: rows.map((row) => statusOf(row, { history: undefined, showOutput: false, showInput })),
      headers: last ? { "x-ms-continuation-token": String(last.iid) } : {},
    };
  }

  private async act(
    request: ManagementRequest,
    target: { id: string; action: string; argument: string | undefined },
  ): Promise<ManagementReply> {
    const { id, action, argument } = target;
    const reason = request.query.get("reason") ?? "";
    switch (action.toLowerCase()) {
      case "raiseevent":
        return argument === undefined ? { status: 404 } : this.raiseEvent(request, id, argument);
      case "terminate":
        return { status: DELIVERY_STATUS[await this.hub.terminate(id, reason)] };
      case "suspend":
        return { status: DELIVERY_STATUS[await this.hub.suspend(id, reason)] };
      case "resume":
        return { status: DELIVERY_STATUS[await this.hub.resume(id, reason)] };
      case "rewind":
        return { status: 501, body: { Message: "rewind is not simulated by this host" } };
      case "restart":
        return this.restart(request, id);
      default:
        return { status: 404 };
    }
  }

  private async raiseEvent(
    { body, contentType }: ManagementRequest,
    id: string,
    name: string,
  ): Promise<ManagementReply> {
    if (!contentType.startsWith("application/json"))
      return { status: 400, body: { Message: "Only application/json request content is supported" } };
    const input = jsonTextOf(body);
    if (input === undefined) return { status: 400, body: { Message: "the event's data is not JSON" } };
    return { status: DELIVERY_STATUS[await this.hub.raiseEvent(id, name, input)] };
  }

  private async restart(request: ManagementRequest, id: string): Promise<ManagementReply> {
    const row = this.hub.journal.instanceById(id);
    if (!row) return { status: 404 };
    const newId = request.query.get("restartWithNewInstanceId") === "false" ? id : randomUUID().replaceAll("-", "");
    const outcome = await this.hub.start({ name: row.name, id: newId, input: row.input, version: row.version });
    return outcome === "conflict" ? { status: 409 } : this.accepted(request, newId);
  }
}

/** Azure Storage keys may hold none of these; an id with a leading `@` is an entity's. */
function isValidId(id: string): boolean {
  return id.length <= 100 && !id.startsWith("@") && !/[/\\#?\p{Cc}]/u.test(id);
}

function purged(count: number): ManagementReply {
  return count === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted: count } };
}

function filterOf({ query, continuationToken }: ManagementRequest): InstanceFilter {
  const time = (name: string, otherwise: number): number => {
    const value = Date.parse(query.get(name) ?? "");
    return Number.isNaN(value) ? otherwise : value;
  };
  const top = Number(query.get("top") ?? 0);
  return {
    statuses: (query.get("runtimeStatus") ?? "").split(",").filter((status) => status !== ""),
    createdFrom: time("createdTimeFrom", 0),
    createdTo: time("createdTimeTo", Number.MAX_SAFE_INTEGER),
    prefix: query.get("instanceIdPrefix") ?? "",
    after: Number(continuationToken ?? 0) || 0,
    top: top > 0 ? top : DEFAULT_PAGE,
  };
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return query.get(name)?.toLowerCase() === "true";
}

/** The body as JSON text, `null` for an empty one, undefined when it is no JSON. */
function jsonTextOf(body: string): string | undefined {
  if (body === "") return "null";
  try {
    JSON.parse(body);
    return body;
  } catch {
    return undefined;
  }
}
