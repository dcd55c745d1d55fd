import type { z } from "zod";
import type { ArmErrorBody } from "../arm/arm-error";
import { parseJsonBody, type WireReply, type WireRequest } from "../http/wire";

export const refuse = (status: number, error: ArmErrorBody): WireReply => ({ status, body: { error } });

/** Takes a body in its type, or says which field is wrong. */
export function withBody<Schema extends z.ZodType, Reply extends WireReply | Promise<WireReply>>(
  request: WireRequest,
  schema: Schema,
  act: (body: z.infer<Schema>) => Reply,
): Reply | WireReply {
  const json = parseJsonBody(request.body);
  if (!json.ok) return refuse(400, { code: "MalformedBody", message: json.reason });
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return act(parsed.data);
  const issue = parsed.error.issues[0];
  const field = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path.map(String).join(".");
  return refuse(400, { code: "InvalidField", message: issue?.message ?? "The body is invalid.", target: field });
}
