import { createHash } from "node:crypto";

/** A GUID that is a function of an act's id: the same act has the same correlation id however often it runs. */
export function correlationIdOf(actId: string): string {
  const hex = createHash("sha256").update(actId).digest("hex");
  // Version 8 of RFC 9562: made of a hash of the maker's choice.
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-");
}
