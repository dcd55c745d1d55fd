import type { JWTPayload } from "jose";
import { assertionOutOfTime } from "./sign-in-errors";

// The clocks of clients may differ by five minutes.
const SKEW_SECONDS = 300;

export function checkTimes({ exp, nbf }: JWTPayload): void {
  const nowSeconds = Date.now() / 1000;
  const endsAt = secondsOf(exp);
  const isTooEarly = (secondsOf(nbf) ?? 0) > nowSeconds + SKEW_SECONDS;
  if (endsAt !== undefined && endsAt > nowSeconds - SKEW_SECONDS && !isTooEarly) return;
  throw assertionOutOfTime(new Date().toISOString(), endsAt === undefined ? "none" : String(endsAt));
}

/** A stranger wrote the claim: it may be anything. */
const secondsOf = (claim: unknown): number | undefined =>
  typeof claim === "number" && Number.isFinite(claim) ? claim : undefined;
