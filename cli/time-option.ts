import { z } from "zod";
import { usage } from "./cli-error";

const Moment = z.iso.datetime({ offset: true });

/** The same moment in the one spelling that compares as text. */
export function timeOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (Moment.safeParse(text).success) return new Date(text).toISOString();
  throw usage(`${option} ${text} is no time such as 2030-12-31T23:59:59Z`);
}
