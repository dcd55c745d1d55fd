import { timingSafeEqual } from "node:crypto";
import type { WireReply } from "../http/wire";
import { ArmError } from "./arm-error";
import { authorize } from "./authorization/authorize";
import type { CloudWorld } from "./cloud-world";
import type { Operation } from "./operations";
import { regionOf } from "./request-region";
import type { ArmReply, ArmRequest } from "./route";
import type { Throttle } from "./throttle";

const RETRY_SECONDS = 10;

/** The headers by which a client follows an operation. Their URLs are absolute: they must hold after a restart, so the port must stay. */
export function followHeaders(
  world: CloudWorld,
  request: ArmRequest,
  { operation, follow = "async" }: ArmReply,
): Record<string, string> {
  if (!operation) return {};
  const host = request.headers.host ?? "localhost";
  const { subscriptionId, provider, location, id, ticket, startTime } = operation;
  const signed = `p=${provider.length}&t=${Date.parse(startTime)}&c=local&s=${ticket}&h=local&api-version=${request.apiVersion}`;
  const retry = world.latencies.retryAfter(RETRY_SECONDS);
  if (follow === "location")
    return { ...retry, Location: `https://${host}/subscriptions/${subscriptionId}/operationresults/${id}?${signed}` };
  const url = `https://${host}/subscriptions/${subscriptionId}/providers/${provider}/locations/${location}/operations/${id}?${signed}`;
  return {
    ...retry,
    "Azure-AsyncOperation": url,
    ...(follow === "async-and-location" ? { Location: `${url}&monitor=true` } : {}),
  };
}

/** `GET …/operations/<id>`: the state of an operation, always 200; with `monitor=true`, or below `operationresults`, its result. */
export function readOperation(world: CloudWorld, throttle: Throttle, request: ArmRequest): WireReply {
  const id = request.path.names.at(-1) ?? "";
  const operation = world.operations.get(id);
  const isKnown = operation && isTicket(request.query.get("s"), operation);
  if (!isKnown)
    authorize(world.access, request.caller, {
      action: operationReadAction(request),
      scope: `/subscriptions/${request.path.subscriptionId ?? ""}`,
    });
  if (!operation) throw new ArmError(404, { code: "NotFound", message: `The operation '${id}' was not found.` });
  const limits = throttle.take(request, { resourceId: operation.resourceId, region: regionOf(world, request) });
  const isResult = request.query.get("monitor") === "true" || /operationresults/i.test(request.path.type);
  const reply = isResult ? resultOf(operation) : { status: 200, body: statusOf(operation) };
  const retry = operation.status === "InProgress" ? world.latencies.retryAfter(RETRY_SECONDS) : {};
  const again =
    reply.status === 202 ? { Location: `https://${request.headers.host ?? "localhost"}${selfOf(request)}` } : {};
  return { ...reply, headers: { ...limits, ...retry, ...again } };
}

const operationReadAction = ({ path }: ArmRequest): string =>
  `${path.type.split("/")[0] ?? ""}/locations/operations/read`;

const selfOf = ({ path, query }: ArmRequest): string => `${path.id}?${query.toString()}`;

function isTicket(given: string | null, { ticket }: Operation): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(ticket)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Exactly these members: recordings of the real service have no others. */
const statusOf = ({ startTime, endTime, status, error, id }: Operation) => ({
  startTime,
  ...(endTime ? { endTime } : {}),
  status,
  ...(error ? { error } : {}),
  name: id,
});

function resultOf({ status, error }: Operation): WireReply {
  if (status === "InProgress") return { status: 202 };
  if (status === "Succeeded") return { status: 200 };
  return {
    status: 409,
    body: { error: error ?? { code: "OperationPreempted", message: "The operation was canceled." } },
  };
}
