import { z } from "zod";

/** One of the names, in any case, as ARM reads them: `az vm create` writes `fromImage`. It is kept as Azure spells it. */
export function enumOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  const spelled = (given: unknown): unknown =>
    typeof given === "string" ? (names.find((name) => name.toLowerCase() === given.toLowerCase()) ?? given) : given;
  return z.preprocess(spelled, z.enum(names));
}
