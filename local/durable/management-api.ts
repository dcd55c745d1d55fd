import { randomUUID } from "node:crypto";
import { linksOf } from "./client-binding";
import type { LinkOptions } from "./client-binding";
import { EntityApi } from "./entity-api";
import { missing } from "./episode";
import type { DurableFunctions } from "./functions";
import { FINISHED } from "./journal";
import type { InstanceFilter, InstanceRow } from "./journal";
import {
  NOT_FOUND,
  booleanOf,
  isJson,
  jsonTextOf,
  pageSizeOf,
  parameter,
  refused,
  secondsOf,
  timeOf,
} from "./management-wire";
import type { ManagementReply, ManagementRequest } from "./management-wire";
import { statusOf } from "./status";
import type { Delivery, TaskHub } from "./task-hub";

export type { ManagementReply, ManagementRequest } from "./management-wire";

const DELIVERY_STATUS: Readonly<Record<Delivery, number>> = { accepted: 202, finished: 410, unknown: 404 };

/** More than a timer of Node can wait. */
const LONGEST_WAIT_SECONDS = 2_000_000;

const STATUSES: ReadonlySet<string> = new Set([
  ...["Pending", "Running", "Suspended", "Completed", "Failed", "Terminated"],
  ...["Canceled", "ContinuedAsNew"],
]);

/** The HTTP API of Durable Functions: the SDK's client speaks it, and so do the links that a starter hands out. */
export class ManagementApi {
  private readonly entities: EntityApi;

  constructor(
    private readonly hub: TaskHub,
    private readonly functions: DurableFunctions,
    private readonly links: LinkOptions,
  ) {
    this.entities = new EntityApi(hub, functions);
  }

  async serve(request: ManagementRequest): Promise<ManagementReply> {
    const [collection = "", first, action, argument, ...rest] = request.path;
    if (rest.length > 0) return NOT_FOUND;
    switch (collection.toLowerCase()) {
      case "orchestrators":
        if (first === undefined || request.method !== "POST" || argument !== undefined) return NOT_FOUND;
        return this.start(request, first, action);
      case "entities":
        return this.entities.serve(request);
      case "instances":
        if (first === undefined || first === "") return this.serveAll(request);
        if (action === undefined) return this.serveOne(request, first);
        return request.method === "POST" ? this.act(request, { id: first, action, argument }) : NOT_FOUND;
      default:
        return NOT_FOUND;
    }
  }

  private async start(request: ManagementRequest, name: string, givenId: string | undefined): Promise<ManagementReply> {
    if (!this.functions.has("orchestration", name)) return refused(400, missing("orchestration", name, this.functions));
    const input = jsonTextOf(request.body);
    if (input === undefined) return refused(400, "Invalid JSON content");
    const id = givenId !== undefined && givenId !== "" ? givenId : randomUUID().replaceAll("-", "");
    const problem = idProblem(id);
    if (problem !== undefined) return refused(400, problem);
    const outcome = await this.hub.start({ name, id, input, version: parameter(request.query, "version") });
    if (outcome === "conflict")
      return refused(409, `An Orchestration instance with the status Running already exists: ${id}`);
    return this.accepted(request, id);
  }

  /** With `timeout` the caller waits for the end; otherwise it gets the links at once. */
  private async accepted({ query }: ManagementRequest, id: string): Promise<ManagementReply> {
    const links = linksOf(this.links, id);
    const timeoutSeconds = secondsOf(query, "timeout") ?? 0;
    if (timeoutSeconds > 0) {
      await this.hub.waitForEnd(id, Math.min(timeoutSeconds, LONGEST_WAIT_SECONDS) * 1000);
      const row = this.hub.journal.instanceById(id);
      if (row?.status === "Completed") return { status: 200, body: JSON.parse(row.output ?? "null") as unknown };
      if (row && FINISHED.includes(row.status))
        return { status: row.status === "Failed" ? 500 : 200, body: statusOf(row) };
    }
    return { status: 202, body: links, headers: { location: links["statusQueryGetUri"] ?? "", "retry-after": "10" } };
  }

  private async serveOne({ method, query }: ManagementRequest, id: string): Promise<ManagementReply> {
    if (method === "DELETE") return this.purgeOne(id);
    if (method !== "GET") return NOT_FOUND;
    const row = this.hub.journal.instanceById(id);
    if (!row) return NOT_FOUND;
    const history = booleanOf(query, "showHistory") === true ? this.hub.journal.historyOf(row.iid) : undefined;
    const body = statusOf(row, {
      history,
      showOutput: booleanOf(query, "showHistoryOutput") ?? false,
      showInput: booleanOf(query, "showInput") ?? true,
    });
    return this.withStatusCode(row, body, booleanOf(query, "returnInternalServerErrorOnFailure") ?? false);
  }

  private withStatusCode({ id, status }: InstanceRow, body: unknown, failureIsError: boolean): ManagementReply {
    if (FINISHED.includes(status)) return { status: status === "Failed" && failureIsError ? 500 : 200, body };
    const location = linksOf(this.links, id)["statusQueryGetUri"] ?? "";
    return { status: 202, body, headers: { location, "retry-after": "5" } };
  }

  private async purgeOne(id: string): Promise<ManagementReply> {
    if (id.startsWith("@"))
      return { status: 200, body: { instancesDeleted: (await this.hub.purgeEntity(id)) ? 1 : 0 } };
    const row = this.hub.journal.instanceById(id);
    if (!row) return NOT_FOUND;
    if (FINISHED.includes(row.status)) return { status: 200, body: { instancesDeleted: await this.hub.purge([id]) } };
    const text = "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID";
    return { status: 412, body: `${text} ${id} has status ${row.status}` };
  }

  private async serveAll(request: ManagementRequest): Promise<ManagementReply> {
    if (request.method === "DELETE") return this.purgeAll(request);
    if (request.method !== "GET") return NOT_FOUND;
    const filter = filterOf(request);
    const rows = this.hub.journal.find(filter);
    const last = rows.length === filter.top ? rows.at(-1) : undefined;
    const showInput = booleanOf(request.query, "showInput") ?? true;
    return {
      status: 200,
      body: rows.map((row) => statusOf(row, { history: undefined, showOutput: false, showInput })),
      headers: last ? { "x-ms-continuation-token": String(last.iid) } : {},
    };
  }

  private async purgeAll(request: ManagementRequest): Promise<ManagementReply> {
    if (timeOf(request.query, "createdTimeFrom") === undefined)
      return { status: 400, body: "Please provide value for 'createdTimeFrom' parameter." };
    const filter = filterOf(request);
    const statuses = filter.statuses.length > 0 ? filter.statuses : FINISHED;
    const found = this.hub.journal.find({ ...filter, statuses, top: -1 });
    const instancesDeleted = await this.hub.purge(found.map(({ id }) => id));
    return instancesDeleted === 0 ? NOT_FOUND : { status: 200, body: { instancesDeleted } };
  }

  private async act(
    request: ManagementRequest,
    target: { id: string; action: string; argument: string | undefined },
  ): Promise<ManagementReply> {
    const { id, action, argument } = target;
    const reason = parameter(request.query, "reason") ?? "";
    if ((argument !== undefined) !== (action.toLowerCase() === "raiseevent")) return NOT_FOUND;
    switch (action.toLowerCase()) {
      case "raiseevent":
        return this.raiseEvent(request, id, argument ?? "");
      case "terminate":
        return { status: DELIVERY_STATUS[await this.hub.terminate(id, reason)] };
      case "suspend":
        return { status: DELIVERY_STATUS[await this.hub.suspend(id, reason)] };
      case "resume":
        return { status: DELIVERY_STATUS[await this.hub.resume(id, reason)] };
      case "rewind":
        return this.rewind(id);
      case "restart":
        return this.restart(request, id);
      default:
        return NOT_FOUND;
    }
  }

  private async raiseEvent(request: ManagementRequest, id: string, name: string): Promise<ManagementReply> {
    const row = this.hub.journal.instanceById(id);
    if (!row) return NOT_FOUND;
    if (FINISHED.includes(row.status)) return { status: 410 };
    if (!isJson(request.contentType)) return refused(400, "Only application/json request content is supported");
    const input = jsonTextOf(request.body);
    if (input === undefined) return refused(400, "Invalid JSON content");
    return { status: DELIVERY_STATUS[await this.hub.raiseEvent(id, name, input)] };
  }

  /** The texts are bare strings: the SDK's client makes errors of them. */
  private async rewind(id: string): Promise<ManagementReply> {
    const outcome = await this.hub.rewind(id);
    switch (outcome.kind) {
      case "accepted":
        return { status: 202 };
      case "unknown":
        return { status: 404, body: `No orchestration with instance ID "${id}" found.` };
      case "unsupported":
        return { status: 501, body: outcome.reason };
      case "not failed": {
        const text = `This orchestration has status ${outcome.status}, but only orchestrations in the "Failed" state can be rewound.`;
        return { status: 412, body: text };
      }
    }
  }

  private async restart(request: ManagementRequest, id: string): Promise<ManagementReply> {
    const row = this.hub.journal.instanceById(id);
    if (!row) return refused(400, "InstanceId does not match a valid orchestration instance.");
    const isNew = booleanOf(request.query, "restartWithNewInstanceId") ?? true;
    const newId = isNew ? randomUUID().replaceAll("-", "") : id;
    const outcome = await this.hub.start({ name: row.name, id: newId, input: row.input, version: row.version });
    if (outcome === "started") return this.accepted(request, newId);
    return refused(409, "A non-terminal instance with this instance ID already exists.");
  }
}

/** Why an id cannot be an instance's: Azure Storage keys may hold none of these, and a leading `@` is an entity's. */
function idProblem(id: string): string | undefined {
  if (id.startsWith("@")) return `Orchestration instance ids must not start with @: '${id}'`;
  if (id.length > 100) return "Instance ID lengths must not exceed 100 characters.";
  if (/[/\\#?\p{Cc}]/u.test(id))
    return `Orchestration instance ids must not contain /, \\, #, ?, or control characters.`;
  return undefined;
}

function filterOf({ query, continuationToken }: ManagementRequest): InstanceFilter {
  const given = query.getAll("runtimeStatus").flatMap((list) => list.split(","));
  return {
    // Names that are none are passed over, and with no other name there is no filter, as with Azure.
    statuses: given.map((status) => status.trim()).filter((status) => STATUSES.has(status)),
    createdFrom: timeOf(query, "createdTimeFrom") ?? 0,
    createdTo: timeOf(query, "createdTimeTo") ?? Number.MAX_SAFE_INTEGER,
    prefix: parameter(query, "instanceIdPrefix") ?? "",
    after: Number(continuationToken ?? 0) || 0,
    top: pageSizeOf(query),
  };
}
