import { createHash } from "node:crypto";
import { z } from "zod";
import { ArmError } from "./arm-error";
import { ArmQuery } from "./arm-query";
import type { CloudWorld } from "./cloud-world";
import type { JsonObject } from "./resource-store";
import type { ArmReply, ArmRequest } from "./route";

export interface Listing<Row> {
  readonly rows: readonly Row[];
  /** What rows are sorted by. A row keeps it, so that pages stay right while rows come and go. */
  readonly keyOf: (row: Row) => string;
  readonly view: (row: Row) => object;
  /** How many rows Azure answers at once. */
  readonly size?: number;
  /** Does Azure read `$top` here? It is the size of a page: more follows behind `nextLink`. */
  readonly takesTop?: boolean;
  /** Members of the body beside `value`. */
  readonly more?: JsonObject;
}

// Resources and groups; of most other lists Azure does not say how long their pages are.
const PAGE_SIZE = 1000;

/** Answers a list in pages, as Azure cuts them: a `nextLink` with an opaque `$skiptoken` while there is more. */
export function pageReply<Row>(world: CloudWorld, request: ArmRequest, listing: Listing<Row>): ArmReply {
  const { rows, keyOf, view, more = {} } = listing;
  const after = cursorOf(request);
  const size = sizeOf(world, request, listing);
  const sorted = rows
    .map((row) => ({ row, key: keyOf(row).toLowerCase() }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((left, right) => (left.key < right.key ? -1 : 1));
  const shown = sorted.slice(0, size);
  const last = sorted.length > size ? shown.at(-1) : undefined;
  const nextLink = last ? { nextLink: nextLinkOf(request, last.key) } : {};
  return { status: 200, body: { value: shown.map(({ row }) => view(row)), ...nextLink, ...more } };
}

/** A list by the ids of its rows. */
export const pageById = <Row extends { readonly id: string }>(
  world: CloudWorld,
  request: ArmRequest,
  listing: Omit<Listing<Row>, "keyOf">,
): ArmReply => pageReply(world, request, { ...listing, keyOf: ({ id }) => id });

function sizeOf<Row>(world: CloudWorld, { query }: ArmRequest, { size = PAGE_SIZE, takesTop }: Listing<Row>): number {
  const most = Math.min(size, world.pageSize ?? size);
  const top = takesTop ? query.get("$top") : null;
  if (top === null || top === "") return most;
  if (!/^\d{1,9}$/.test(top) || Number(top) === 0)
    throw new ArmError(400, {
      code: "InvalidTopInQueryString",
      message: `Invalid $top '${top}' specified in the query string.`,
    });
  return Math.min(most, Number(top));
}

function nextLinkOf({ headers, path, query }: ArmRequest, key: string): string {
  const next = new ArmQuery(query);
  next.set("$skiptoken", Buffer.from(JSON.stringify([listOf(path.whole, query), key])).toString("base64url"));
  const place = path.whole.split("/").map(encodeURIComponent).join("/");
  return `https://${headers.host ?? "localhost"}${place}?${next.toString().replaceAll("+", "%20")}`;
}

const Token = z.tuple([z.string(), z.string()]);

/** The key of the last row that was shown. A token leads on only where it came from: same list, same filter. */
function cursorOf({ path, query }: ArmRequest): string | undefined {
  const given = query.get("$skiptoken");
  if (given === null) return undefined;
  const token = Token.safeParse(jsonOf(Buffer.from(given, "base64url").toString("utf8")));
  if (token.success && token.data[0] === listOf(path.whole, query)) return token.data[1];
  // As Compute says it: https://github.com/Azure/azure-sdk-for-java/issues/27991
  throw new ArmError(
    400,
    { code: "InvalidParameter", message: "The request URL is not valid." },
    { target: "$skiptoken" },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // No token of ours; whoever asked is told so.
    return undefined;
  }
}

const listOf = (whole: string, query: URLSearchParams): string =>
  createHash("sha256")
    .update(`${whole.toLowerCase()}?${query.get("$filter") ?? ""}`)
    .digest("base64url")
    .slice(0, 12);
