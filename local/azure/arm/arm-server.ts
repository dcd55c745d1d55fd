import { randomUUID } from "node:crypto";
import type { FaultPlan } from "../../faults/fault-plan";
import { answerWithFaults } from "../http/answer-with-faults";
import { DROPPED, type WireHandler, type WireReply, type WireRequest } from "../http/wire";
import { requireApiVersion } from "./api-version";
import { ArmError } from "./arm-error";
import {
  invalidResourceType,
  malformedContent,
  malformedPath,
  methodNotAllowed,
  subscriptionNotFound,
} from "./arm-errors";
import { type ArmPath, parseArmPath } from "./arm-path";
import { ArmQuery } from "./arm-query";
import type { Authentication } from "./authentication";
import type { RoleAssignment } from "./authorization/access-control";
import { admitCall } from "./authorization/admit-call";
import type { CloudWorld } from "./cloud-world";
import { eventSeed } from "./event-seed";
import { parseArmBody } from "./lenient-json";
import { followHeaders, readOperation } from "./operation-routes";
import { regionOf } from "./request-region";
import type { Caller } from "./resource-events";
import { requireValidTags } from "./resources/tag-rules";
import type { ArmReply, ArmRequest, ArmRoute } from "./route";
import type { Throttle } from "./throttle";

export interface ArmServerOptions {
  readonly world: CloudWorld;
  readonly routes: readonly ArmRoute[];
  readonly authentication: Authentication;
  readonly throttle: Throttle;
  readonly faults: FaultPlan;
  readonly calls: Map<string, number>;
}

const OPERATION_TYPE = /^[^/]+\/locations\/operations$|^microsoft\.resources\/subscriptions\/operationresults$/i;

/** A request's way through ARM: path, faults, api-version, caller, permission, throttle, handler, headers. */
export function createArmServer(options: ArmServerOptions): WireHandler {
  const router = createRouter(options.routes);
  const serve = async (request: WireRequest, caller?: Caller): Promise<WireReply | typeof DROPPED> => {
    const ids = { "x-ms-request-id": randomUUID(), "x-ms-correlation-request-id": correlationIdOf(request) };
    const path = parseArmPath(request.path);
    const label = labelOf(request.method, path, router);
    count(options.calls, label);
    const reply = await answerWithFaults({
      faults: options.faults,
      call: { service: "arm", operation: label, subject: request.path },
      answer: () =>
        answer(
          { ...options, router },
          { request, path, label, correlationId: ids["x-ms-correlation-request-id"], caller },
        ),
      refuse: ({ status, code, message, headers }) =>
        new ArmError(status, { code, message }, headers ? { headers } : {}).toReply(),
    });
    if (reply === DROPPED) return DROPPED;
    const routing = { "x-ms-routing-request-id": `LOCAL:${new Date().toISOString()}:${ids["x-ms-request-id"]}` };
    return {
      ...reply,
      headers: {
        ...ids,
        ...routing,
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        ...reply.headers,
      },
    };
  };
  // What a deployment does in its caller's name goes the same way.
  options.world.internalCalls.connect(serve);
  return (request) => serve(request);
}

// More operations than ARM has here; what strangers make up beyond them is counted as one.
const MAX_LABELS = 1000;

function count(calls: Map<string, number>, label: string): void {
  const key = calls.has(label) || calls.size < MAX_LABELS ? label : "other";
  calls.set(key, (calls.get(key) ?? 0) + 1);
}

interface Router {
  find(method: string, path: ArmPath): ArmRoute | undefined;
  typeOf(path: ArmPath): string | undefined;
}

function createRouter(routes: readonly ArmRoute[]): Router {
  const byKey = new Map<string, ArmRoute>();
  const types = new Map<string, string>();
  for (const route of routes) {
    byKey.set(`${route.method} ${route.level} ${String(route.isItem)} ${route.type.toLowerCase()}`, route);
    types.set(route.type.toLowerCase(), route.type);
  }
  return {
    find: (method, { level, isItem, type }) =>
      byKey.get(`${method} ${level} ${String(isItem)} ${type.toLowerCase()}`) ??
      byKey.get(`${method} any ${String(isItem)} ${type.toLowerCase()}`),
    typeOf: ({ type }) => types.get(type.toLowerCase()),
  };
}

function labelOf(method: string, path: ArmPath | undefined, router: Router): string {
  if (!path) return `${method} malformed`;
  if (OPERATION_TYPE.test(path.type)) return `${method} operations`;
  return `${method} ${router.typeOf(path) ?? path.type}`;
}

const correlationIdOf = ({ headers }: WireRequest): string => {
  const given = headers["x-ms-correlation-request-id"];
  return typeof given === "string" && /^[0-9a-f-]{36}$/i.test(given) ? given : randomUUID();
};

interface Arrived {
  readonly request: WireRequest;
  readonly path: ArmPath | undefined;
  readonly label: string;
  readonly correlationId: string;
  /** Known beforehand where the cloud itself calls. */
  readonly caller: Caller | undefined;
}

async function answer(options: ArmServerOptions & { router: Router }, arrived: Arrived): Promise<WireReply> {
  try {
    return await handle(options, arrived);
  } catch (error) {
    if (error instanceof ArmError) return error.toReply();
    throw error;
  }
}

async function handle(options: ArmServerOptions & { router: Router }, arrived: Arrived): Promise<WireReply> {
  const { world, router, throttle } = options;
  const request = await admit(options, arrived);
  if (OPERATION_TYPE.test(request.path.type)) return readOperation(world, throttle, request);
  const route = router.find(request.method, request.path);
  if (!route) {
    if (router.typeOf(request.path)) throw methodNotAllowed(request.method, request.path.type);
    throw invalidResourceType(request.path.type, request.apiVersion);
  }
  const grant = admitCall(world, request, route.action);
  const limits = throttle.take(request, { resourceId: request.path.id, region: regionOf(world, request) });
  try {
    requireValidTags(request);
    const reply = await route.handle(request);
    tell(world, { request, route, reply, grant, correlationId: arrived.correlationId, url: arrived.request.path });
    const follow = followHeaders(world, request, reply);
    return { status: reply.status, body: reply.body, headers: { ...limits, ...follow, ...reply.headers } };
  } catch (error) {
    // A refusal has used up its share too, and says what is left.
    if (error instanceof ArmError) return error.toReply(limits);
    throw error;
  }
}

/** Everything that is checked before anybody asks what the request is about. */
async function admit(
  { world, authentication }: ArmServerOptions,
  { request, path, label, caller: known }: Arrived,
): Promise<ArmRequest> {
  if (!path) throw malformedPath();
  const query = new ArmQuery(request.query);
  const apiVersion = requireApiVersion(query);
  const caller = known ?? (await authentication.callerOf(request.headers.authorization));
  const { subscriptionId } = path;
  if (subscriptionId && !world.subscriptionIds.includes(subscriptionId.toLowerCase()))
    throw subscriptionNotFound(subscriptionId);
  const body = parseArmBody(request.body);
  if (!body.ok) throw malformedContent(body.reason);
  return {
    method: request.method,
    path,
    query,
    headers: request.headers,
    body: body.value,
    apiVersion,
    caller,
    label,
  };
}

interface Told {
  readonly request: ArmRequest;
  readonly route: ArmRoute;
  readonly reply: ArmReply;
  readonly grant: RoleAssignment | undefined;
  readonly correlationId: string;
  readonly url: string;
}

/** Writes, deletions and actions become events: at once, or when their operation ends. Reads and no-ops do not. */
function tell(world: CloudWorld, { request, route, reply, grant, correlationId, url }: Told): void {
  if (request.method === "GET" || request.method === "HEAD" || !route.action) return;
  if (reply.status === 204 && request.method === "DELETE") return;
  const seed = eventSeed(world, {
    request,
    action: route.action,
    grant,
    correlationId,
    url,
    isCreate: reply.status === 201,
  });
  if (reply.operation) world.operations.attachEvent(reply.operation, seed);
  else world.emit(seed, "Success");
}
