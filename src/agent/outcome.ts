import type { AttemptReport } from "../contract/agent";

/** How a container ended, as `docker inspect` tells it. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Docker's own words when the container could not be started. */
  readonly error?: string;
  /** The end of the log, to recognise a full disk. */
  readonly logTail: string;
}

export interface PullFailure {
  readonly outcome: "ImageError" | "DiskFull";
  readonly mayPass: boolean;
}

const MESSAGE_LIMIT = 2000;
const NO_SPACE = /no space left on device/i;
/** Said by registries and by Docker about an image that will not be there in a minute either. */
const FINAL_PULL_ERRORS =
  /manifest unknown|manifest for .* not found|pull access denied|requested access to the resource is denied|unauthorized|authentication required|name unknown|repository .* not found|invalid reference format|no matching manifest|must be lowercase/i;
const THROTTLED = /toomanyrequests|too many requests|429/i;
const UNUSABLE_IMAGE = /no command specified|no such image|unable to find image|image .* not found/i;

/** An unknown error may pass: a registry that is down says so in many words, and one retry too many costs seconds. */
export function pullFailureOf(text: string): PullFailure {
  if (NO_SPACE.test(text)) return { outcome: "DiskFull", mayPass: false };
  return { outcome: "ImageError", mayPass: THROTTLED.test(text) || !FINAL_PULL_ERRORS.test(text) };
}

/** The outcome of a `docker run` that did not start the container. */
export function startFailureOf(exitCode: number, text: string): Omit<AttemptReport, "runMs"> {
  const message = shortened(text);
  if (NO_SPACE.test(text)) return { outcome: "DiskFull", message };
  if (UNUSABLE_IMAGE.test(text)) return { outcome: "ImageError", message };
  return { outcome: "Failed", exitCode, message };
}

/** The outcome of an attempt that failed before Docker was asked to run it. */
export function preparationFailureOf(outcome: "VolumeError" | "Failed", text: string): Omit<AttemptReport, "runMs"> {
  return { outcome: NO_SPACE.test(text) ? "DiskFull" : outcome, message: shortened(text) };
}

export function outcomeOf(end: ContainerEnd): Omit<AttemptReport, "runMs"> {
  const { exitCode, oomKilled, error, logTail } = end;
  if (oomKilled) return { outcome: "OutOfMemory", exitCode };
  if (exitCode === 0) return { outcome: "Succeeded", exitCode };
  if (NO_SPACE.test(logTail) || NO_SPACE.test(error ?? "")) return { outcome: "DiskFull", exitCode };
  return error ? { outcome: "Failed", exitCode, message: shortened(error) } : { outcome: "Failed", exitCode };
}

export function shortened(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= MESSAGE_LIMIT ? trimmed : `${trimmed.slice(0, MESSAGE_LIMIT - 1)}…`;
}
