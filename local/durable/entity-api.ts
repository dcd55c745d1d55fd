import { entityIdOf, entityKeyOf, entityNameOf } from "./entity-id";
import type { EntityRow } from "./entity-tables";
import { missing } from "./episode";
import type { DurableFunctions } from "./functions";
import { NOT_FOUND, booleanOf, isJson, jsonTextOf, pageSizeOf, parameter, refused, timeOf } from "./management-wire";
import type { ManagementReply, ManagementRequest } from "./management-wire";
import type { TaskHub } from "./task-hub";

/** Stands for an empty key in a path, which could not hold one. */
const EMPTY_KEY = "$";

/** `entities[/{name}[/{key}]]` (docs: HTTP API reference of Durable Functions, Signal entity, Get entity, List entities). */
export class EntityApi {
  constructor(
    private readonly hub: TaskHub,
    private readonly functions: DurableFunctions,
  ) {}

  async serve(request: ManagementRequest): Promise<ManagementReply> {
    const [, name = "", key = "", ...rest] = request.path;
    if (rest.length > 0) return NOT_FOUND;
    const id = entityIdOf(name, key === EMPTY_KEY ? "" : key);
    switch (request.method) {
      case "GET":
        return key === "" ? this.list(request, name) : this.read(id);
      case "POST":
      case "DELETE":
        return name === "" || key === "" ? refused(400, "An entity has a name and a key.") : this.signal(request, id);
      default:
        return NOT_FOUND;
    }
  }

  private read(id: string): ManagementReply {
    const row = this.hub.entityTables.find(id);
    return row?.alive === true ? { status: 200, body: stateOf(row) } : NOT_FOUND;
  }

  private async signal({ method, query, body, contentType }: ManagementRequest, id: string): Promise<ManagementReply> {
    const name = entityNameOf(id);
    if (!this.functions.has("entity", name)) return refused(400, missing("entity", name, this.functions));
    const operation = method === "DELETE" ? "delete" : (parameter(query, "op") ?? "");
    const text = isJson(contentType) ? jsonTextOf(body) : JSON.stringify(body);
    if (text === undefined) return refused(400, "Could not parse JSON content");
    await this.hub.signalEntity(id, operation, body === "" ? undefined : text);
    return { status: 202 };
  }

  private list({ query, continuationToken }: ManagementRequest, name: string): ManagementReply {
    const top = pageSizeOf(query);
    const rows = this.hub.entityTables.list({
      name: name === "" ? undefined : name,
      from: timeOf(query, "lastOperationTimeFrom") ?? 0,
      to: timeOf(query, "lastOperationTimeTo") ?? Number.MAX_SAFE_INTEGER,
      after: Buffer.from(continuationToken ?? "", "base64url").toString("utf8"),
      top,
    });
    const withState = booleanOf(query, "fetchState") ?? false;
    const last = rows.length === top ? rows.at(-1) : undefined;
    return {
      status: 200,
      body: rows.map((row) => ({
        entityId: { name: entityNameOf(row.id), key: entityKeyOf(row.id) },
        lastOperationTime: new Date(row.operatedAt).toISOString(),
        ...(withState && { state: stateOf(row) }),
      })),
      // Keys may hold what no header can.
      headers: last ? { "x-ms-continuation-token": encodeToken(last.id) } : {},
    };
  }
}

function stateOf({ state }: EntityRow): unknown {
  return state === null ? null : JSON.parse(state);
}

function encodeToken(id: string): string {
  return Buffer.from(id, "utf8").toString("base64url");
}
