import { triggerKindOf, triggerOf } from "./bindings";
import type { RegisteredFunction } from "./core-api";
import { HOST_VERSION } from "./core-api";
import type { HttpRequest } from "./http-request";
import { jsonReply } from "./http-server";
import type { HttpReply } from "./http-server";
import type { Invoker, TriggerData } from "./invoker";
import type { HostKeys } from "./keys";
import { decodePath } from "./router";
import { isDisabled } from "./settings";
import type { Settings } from "./settings";

export interface AdminParts {
  readonly functions: readonly RegisteredFunction[];
  readonly invoker: Invoker;
  readonly keys: HostKeys;
  readonly settings: Settings;
  readonly instanceId: string;
}

const STARTED_AT = performance.now();

/**
 * `/admin`: what the host says about itself, its keys, and a way to run a function that no request triggers (docs: Manually
 * run a non HTTP-triggered function; Key management API). Takes the master key alone.
 */
export async function serveAdmin(parts: AdminParts, request: HttpRequest): Promise<HttpReply> {
  if (!parts.keys.allows(request, "admin")) return { status: 401 };
  const [, area = "", name = "", ...rest] = decodePath(request.path) ?? [];
  const isGet = request.method === "GET";
  if (area.toLowerCase() === "host" && rest.length === 0 && isGet) return hostReply(parts, name);
  if (area.toLowerCase() !== "functions") return { status: 404 };
  if (name === "" && isGet)
    return jsonReply(
      200,
      parts.functions.map((fn) => describe(fn, parts)),
    );
  const fn = parts.functions.find(({ metadata }) => metadata.name.toLowerCase() === name.toLowerCase());
  if (!fn) return { status: 404 };
  if (rest[0] === "keys" && rest.length === 1 && isGet)
    return jsonReply(200, { keys: parts.keys.functionKeys(fn.metadata.name).map(publicKey) });
  if (rest.length > 0) return { status: 404 };
  if (isGet) return jsonReply(200, describe(fn, parts));
  return request.method === "POST" ? run(parts, fn, request) : { status: 405 };
}

function hostReply({ keys, instanceId }: AdminParts, what: string): HttpReply {
  switch (what.toLowerCase()) {
    case "status":
      return jsonReply(200, {
        ...{ id: instanceId, state: "Running", version: HOST_VERSION, versionDetails: HOST_VERSION },
        processUptime: Math.round(performance.now() - STARTED_AT),
      });
    case "ping":
      return { status: 200 };
    case "keys":
    case "functionkeys":
      return jsonReply(200, { keys: keys.hostKeys().map(publicKey) });
    case "systemkeys":
      return jsonReply(200, { keys: keys.systemKeys().map(publicKey) });
    default:
      return { status: 404 };
  }
}

function publicKey({ name, value }: { readonly name: string; readonly value: string }): object {
  return { name, value };
}

function describe(fn: RegisteredFunction, { settings }: AdminParts): object {
  const { name, bindings } = fn.metadata;
  return {
    name,
    language: "node",
    isDisabled: isDisabled(name, settings),
    config: { name, bindings: Object.values(bindings) },
  };
}

/** The body is `{"input": "…"}`: what the trigger would have handed over. */
async function run({ invoker }: AdminParts, fn: RegisteredFunction, request: HttpRequest): Promise<HttpReply> {
  const kind = triggerKindOf(fn);
  if (kind === "httptrigger" || kind === "orchestrationtrigger" || kind === "activitytrigger")
    return { status: 400, body: `A function of type ${triggerOf(fn).type} is not run this way by this host` };
  const text = (await request.readBody()).toString("utf8");
  const input = inputOf(text);
  if (input === undefined) return { status: 400, body: 'The body is no JSON object with the property "input"' };
  // The answer does not wait for the function, nor tell how it ended: the log does.
  void invoker.invoke(fn, manualTrigger(kind, input)).catch(() => undefined);
  return { status: 202 };
}

function inputOf(text: string): string | undefined {
  if (text.trim() === "") return "";
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return undefined;
    const input: unknown = "input" in body ? body.input : "";
    return typeof input === "string" ? input : JSON.stringify(input);
  } catch {
    return undefined;
  }
}

function manualTrigger(kind: string | undefined, input: string): TriggerData {
  const reason = "This function was programmatically called via the host APIs.";
  if (kind !== "timertrigger") return { data: { string: input }, reason };
  const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false };
  return { data: { json: JSON.stringify(timer) }, reason };
}
