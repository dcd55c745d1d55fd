import { z } from "zod";
import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { parseBody } from "../parse-body";
import type { ArmReply, ArmRequest, ArmRoute } from "../route";
import { GraphQuota } from "./graph-quota";
import { graphTable } from "./graph-tables";
import { type KqlQuery, parseKql } from "./kql-query";
import { KqlError } from "./kql-tokens";
import { compareValues, type KqlRow, memberOf } from "./kql-values";

const MAX_TOP = 1000;
const MAX_QUERY_CHARACTERS = 20_000;

/** https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources */
const Query = z.strictObject({
  query: z.string(),
  subscriptions: z.array(z.string()).nullish(),
  managementGroups: z.array(z.string()).nullish(),
  facets: z.array(z.unknown()).nullish(),
  options: z
    .strictObject({
      $top: z.number().int().min(1).max(MAX_TOP).optional(),
      $skip: z.number().int().min(0).optional(),
      $skipToken: z.string().optional(),
      resultFormat: z.enum(["objectArray", "table"]).optional(),
      allowPartialScopes: z.boolean().optional(),
      authorizationScopeFilter: z.string().optional(),
    })
    .nullish(),
});

/** `POST /providers/Microsoft.ResourceGraph/resources`: queries over everything that the caller may read. */
export function createResourceGraphRoutes(world: CloudWorld, { isEnforced }: { isEnforced: boolean }): ArmRoute[] {
  const quota = new GraphQuota(isEnforced);
  // Whoever may ask may ask; each row is then shown to who may read its resource.
  const handle = (request: ArmRequest): ArmReply => {
    const headers = quota.take(request.caller.objectId);
    try {
      return { ...answer(world, request), headers };
    } catch (error) {
      if (error instanceof KqlError) throw invalidQuery(error, headers);
      throw error;
    }
  };
  return [{ method: "POST", level: "tenant", type: "Microsoft.ResourceGraph/resources", isItem: false, handle }];
}

function answer(world: CloudWorld, request: ArmRequest): ArmReply {
  const { query: text, subscriptions, options } = parseBody(Query, request.body);
  if (text.length > MAX_QUERY_CHARACTERS) throw new KqlError("The query is too long", "", MAX_QUERY_CHARACTERS);
  const query = parseKql(text);
  const rows = query.run(visibleRows(world, request, { query, subscriptions: subscriptions ?? [] }));
  const sorted = query.isOrdered
    ? rows
    : rows.toSorted((left, right) => compareValues(memberOf(left, "id"), memberOf(right, "id")));
  const skipped = options?.$skipToken === undefined ? (options?.$skip ?? 0) : skippedOf(options.$skipToken);
  const shown = sorted.slice(skipped, skipped + (options?.$top ?? MAX_TOP));
  const end = skipped + shown.length;
  const isMore = end < sorted.length;
  // Without the id in its rows a result cannot be led on.
  const canLeadOn = shown.every((row) => memberOf(row, "id") !== undefined);
  const body = {
    totalRecords: sorted.length,
    count: shown.length,
    data: options?.resultFormat === "table" ? tableOf(shown) : shown,
    facets: [],
    resultTruncated: isMore && !canLeadOn ? "true" : "false",
    ...(isMore && canLeadOn ? { $skipToken: Buffer.from(`skip ${end}`).toString("base64") } : {}),
  };
  return { status: 200, body };
}

/** What the caller may read of the table, in the subscriptions that he names. */
function visibleRows(
  world: CloudWorld,
  { caller }: ArmRequest,
  { query, subscriptions }: { query: KqlQuery; subscriptions: readonly string[] },
): KqlRow[] {
  const table = graphTable(world, query.table);
  if (!table) throw new KqlError(`There is no table '${query.table}'`, query.table, 0);
  const wanted = new Set(subscriptions.map((id) => id.toLowerCase()));
  return table
    .filter(({ subscriptionId }) => wanted.size === 0 || wanted.has(subscriptionId.toLowerCase()))
    .filter(
      ({ id, action }) => world.access.findGrant({ principalId: caller.objectId, action, scope: id }) !== undefined,
    )
    .map(({ row }) => row);
}

function skippedOf(token: string): number {
  const skipped = /^skip (\d{1,9})$/.exec(Buffer.from(token, "base64").toString("utf8"))?.[1];
  if (skipped !== undefined) return Number(skipped);
  throw new ArmError(400, { code: "BadRequest", message: "The skip token is not valid." }, { target: "$skipToken" });
}

function tableOf(rows: readonly KqlRow[]): object {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const typeOf = (name: string): string => {
    const value = rows.map((row) => row[name]).find((one) => one !== null && one !== undefined);
    if (typeof value === "number") return "integer";
    if (typeof value === "boolean") return "boolean";
    return typeof value === "object" && !(value instanceof Date) ? "object" : "string";
  };
  return {
    columns: names.map((name) => ({ name, type: typeOf(name) })),
    rows: rows.map((row) => names.map((name) => row[name] ?? null)),
  };
}

/** As Resource Graph says it: what to tell support, that the query is invalid, and where. */
function invalidQuery({ message, token, position }: KqlError, headers: Readonly<Record<string, string>>): ArmError {
  return new ArmError(
    400,
    {
      code: "BadRequest",
      message: `Please provide below info when asking for support: timestamp = ${new Date().toISOString()}.`,
    },
    {
      headers,
      details: [
        {
          code: "InvalidQuery",
          message:
            "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.",
        },
        { code: "ParserFailure", message: `${message} (at '${token}', character ${position})` },
      ],
    },
  );
}
