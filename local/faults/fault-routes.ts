import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { z } from "zod";
import type { FaultPlan, FaultRule, RuleState } from "./fault-plan";

const expression = z.string().refine(isRegularExpression, "must be a regular expression");
const name = z.string().min(1);

const Rule = z.strictObject({
  service: name,
  operation: expression.optional(),
  subject: expression.optional(),
  stage: z.enum(["before", "after", "operation"]),
  skip: z.number().int().min(0).default(0),
  times: z.number().int().min(1).default(1),
  action: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("hold") }),
    z.strictObject({ kind: z.literal("watch") }),
    z.strictObject({ kind: z.literal("duplicate"), copies: z.number().int().min(1).max(100).default(1) }),
    z.strictObject({ kind: z.literal("delay"), milliseconds: z.number().min(0) }),
    z.strictObject({ kind: z.literal("drop") }),
    z.strictObject({
      kind: z.literal("fail"),
      status: z.number().int().min(400).max(599),
      code: name,
      message: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
    }),
  ]),
});

const HitsQuery = z.strictObject({
  atLeast: z.coerce.number().int().min(1).default(1),
  timeoutSeconds: z.coerce.number().min(0).max(600).default(30),
});

const MAX_BODY_BYTES = 64 * 1024;

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/**
 * The fault plan over plain HTTP, for tests that run in another process:
 * `POST|GET|DELETE /rules`, `GET|DELETE /rules/{id}`, `GET /rules/{id}/hits?atLeast=1&timeoutSeconds=30`.
 */
export function createFaultRoutes(plan: FaultPlan): RequestListener {
  return (request, response) => {
    answer(plan, request).then(
      (reply) => send(response, reply),
      (error: unknown) =>
        send(response, refuse(500, "InternalError", error instanceof Error ? error.message : String(error))),
    );
  };
}

async function answer(plan: FaultPlan, request: IncomingMessage): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://faults");
  const [, root, id, part] = pathname.split("/");
  if (root !== "rules") return notFound(pathname);
  const shape = `${request.method ?? ""}${id ? " one" : ""}${part ? ` ${part}` : ""}`;
  switch (shape) {
    case "POST":
      return arm(plan, await readText(request));
    case "GET":
      return { status: 200, body: { value: plan.list() } };
    case "DELETE":
      plan.disarmAll();
      return { status: 204 };
    case "GET one":
      return found(plan.stateOf(id ?? ""), pathname);
    case "DELETE one":
      return plan.disarm(id ?? "") ? { status: 204 } : notFound(pathname);
    case "GET one hits":
      return waitForHits(plan, id ?? "", searchParams);
    default:
      return notFound(pathname);
  }
}

function arm(plan: FaultPlan, text: string | undefined): Reply {
  if (text === undefined) return refuse(413, "TooLarge", `A rule has at most ${MAX_BODY_BYTES} bytes.`);
  const json = parseJson(text);
  if (json === undefined) return refuse(400, "MalformedBody", "The body is no JSON.");
  const parsed = Rule.safeParse(json);
  if (!parsed.success) return refuseIssue(parsed.error.issues[0]);
  const { action, ...rest } = parsed.data;
  // Zod writes absent headers as `undefined`; the plan's type knows only absence.
  const rule: FaultRule = { ...rest, action: action as FaultRule["action"] };
  return { status: 201, body: { id: plan.arm(rule) } };
}

/** Answers when the rule has bitten that often; 408 when it did not in time, 404 when it was removed meanwhile. */
async function waitForHits(plan: FaultPlan, id: string, query: URLSearchParams): Promise<Reply> {
  const parsed = HitsQuery.safeParse(Object.fromEntries(query));
  if (!parsed.success) return refuseIssue(parsed.error.issues[0]);
  const { atLeast, timeoutSeconds } = parsed.data;
  if (!plan.stateOf(id)) return notFound(id);
  const { promise: timedOut, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutSeconds * 1000);
  await Promise.race([plan.waitForHits(id, atLeast), timedOut]);
  clearTimeout(timer);
  const state = plan.stateOf(id);
  if (!state) return notFound(id);
  if (state.hits >= atLeast) return { status: 200, body: state };
  return refuse(
    408,
    "Timeout",
    `The rule has bitten ${state.hits} times in ${timeoutSeconds} seconds, not ${atLeast}.`,
  );
}

const refuse = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { code, message } },
});

const notFound = (what: string): Reply => refuse(404, "NotFound", `There is no '${what}'.`);

const found = (state: RuleState | undefined, pathname: string): Reply =>
  state ? { status: 200, body: state } : notFound(pathname);

/** Names the field that is wrong: `target` is its path, or the name of the unknown one. */
function refuseIssue(issue: z.core.$ZodIssue | undefined): Reply {
  const path = issue?.path.map(String) ?? [];
  const target = issue?.code === "unrecognized_keys" ? [...path, issue.keys[0] ?? ""].join(".") : path.join(".");
  return {
    status: 400,
    body: { error: { code: "InvalidField", message: `${target}: ${issue?.message ?? "invalid"}`, target } },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The caller is told; no JSON text has the value `undefined`.
    return undefined;
  }
}

function isRegularExpression(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString("utf8") : undefined;
}

function send(response: ServerResponse, { status, body }: Reply): void {
  if (response.destroyed) return;
  response.writeHead(status, body === undefined ? {} : { "Content-Type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
