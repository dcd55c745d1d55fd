import type { z } from "zod";

/** One complaint about one field. `field` is a path such as `retry.failures`, or `(body)` for the whole. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** What is wrong with an input, each complaint with the name of its field; at most 20, for a person to read. */
export function fieldErrorsOf(error: z.ZodError): FieldError[] {
  return error.issues.slice(0, 20).flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ field: [...path, key].join("."), message: "unknown field" }));
    }
    return [{ field: path.length === 0 ? "(body)" : path.join("."), message: issue.message }];
  });
}

export function describeFieldErrors(errors: readonly FieldError[]): string {
  return errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
}
