import type { z } from "zod";
import { invalidParameter, malformedContent, unknownMember } from "./arm-errors";

/** Takes a body in its type, or refuses it in ARM's words. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  if (body === undefined) throw malformedContent("The request content is missing");
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue?.path.map(String).join(".") ?? "";
  if (issue?.code === "unrecognized_keys")
    throw unknownMember(issue.keys[0] ?? "", at === "" ? "ResourceDefinition" : at);
  if (at === "") throw malformedContent(issue?.message ?? "The request content is no object");
  throw invalidParameter(at, `The value of parameter ${at} is invalid. ${issue?.message ?? ""}`.trim());
}
