import type { RegisteredFunction } from "./core-api";
import { jsonReply } from "./http-server";
import type { HttpRequest } from "./http-request";
import type { HttpReply } from "./http-server";
import type { Invoker } from "./invoker";

interface EventGridParts {
  readonly functions: readonly RegisteredFunction[];
  readonly invoker: Invoker;
}

type Json = Readonly<Record<string, unknown>>;

/** `/runtime/webhooks/EventGrid?functionName=…`: the address that an Event Grid subscription of a function delivers to. */
export async function serveEventGrid({ functions, invoker }: EventGridParts, request: HttpRequest): Promise<HttpReply> {
  const name = request.query.get("functionName")?.toLowerCase();
  const fn = functions.find(({ metadata }) => metadata.name.toLowerCase() === name);
  if (!fn) return { status: 404, body: `cannot find function: '${request.query.get("functionName") ?? ""}'` };
  if (request.method === "OPTIONS") return cloudEventHandshake(request);
  if (request.method !== "POST") return { status: 405 };
  const events = parseEvents(await request.readBody());
  if (!events) return { status: 400, body: "the body is no event and no list of events" };
  const type = headerOf(request, "aeg-event-type")?.toLowerCase();
  if (type === "subscriptionvalidation") return eventGridHandshake(events);
  if (type === "unsubscribe") return { status: 202 };
  try {
    await Promise.all(
      events.map((event) =>
        invoker.invoke(fn, {
          ...{ data: { json: JSON.stringify(event) }, metadata: dataOf(event) },
          reason: `EventGrid trigger fired at ${new Date().toISOString()}`,
        }),
      ),
    );
    return { status: 202 };
  } catch {
    // The invoker has logged it.
    return { status: 500 };
  }
}

/** Event Grid asks a new address to repeat a code, so that nobody can point a subscription at a stranger. */
function eventGridHandshake([event]: readonly Json[]): HttpReply {
  // A data field of another kind has no code and is refused.
  const code = (event?.["data"] as Json | undefined)?.["validationCode"];
  return typeof code === "string"
    ? jsonReply(200, { validationResponse: code })
    : { status: 400, body: "no validationCode" };
}

function cloudEventHandshake(request: HttpRequest): HttpReply {
  const origin = headerOf(request, "webhook-request-origin");
  if (origin === undefined) return { status: 400, body: "no WebHook-Request-Origin" };
  return { status: 200, headers: { "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*" } };
}

function parseEvents(body: Buffer): Json[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    const isObject = (value: unknown): value is Json =>
      typeof value === "object" && value !== null && !Array.isArray(value);
    return list.every(isObject) ? list : undefined;
  } catch {
    return undefined;
  }
}

function dataOf(event: Json): Record<string, { json: string }> {
  return event["data"] === undefined ? {} : { data: { json: JSON.stringify(event["data"]) } };
}

function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
