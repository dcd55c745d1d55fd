import { ArmError } from "../arm-error";

/** Something that a template says and that cannot be carried out; the sentence goes to the caller. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** An expression asked for a resource that has not been read yet: whoever evaluates reads it and begins again. */
export class ResourceWanted extends Error {
  override readonly name = "ResourceWanted";

  constructor(
    readonly id: string,
    readonly apiVersion: string | undefined,
  ) {
    super(`The resource ${id} has not been read.`);
  }
}

export const invalidTemplate = (reason: string): ArmError =>
  new ArmError(400, { code: "InvalidTemplate", message: `Deployment template validation failed: '${reason}'.` });

/** Does something with a template, and answers as ARM where the template is at fault. */
export function withTemplateErrors<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof TemplateError) throw invalidTemplate(error.message);
    throw error;
  }
}
