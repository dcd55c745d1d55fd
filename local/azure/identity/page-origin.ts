import type { WireRequest } from "../http/wire";

/** Did another site's page send this form? Without passwords, the origin is what keeps strangers' pages from signing in. */
export function isFromElsewhere({ headers }: WireRequest, authority: string): boolean {
  const { origin } = headers;
  if (origin === undefined || origin === "null") return headers["sec-fetch-site"] === "cross-site";
  return origin !== authority && origin !== authority.replace("//localhost:", "//127.0.0.1:");
}
