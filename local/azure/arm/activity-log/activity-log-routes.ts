import { ArmError } from "../arm-error";
import type { CloudWorld } from "../cloud-world";
import { type ArmReply, type ArmRequest, type ArmRoute, listRoute } from "../route";
import { parseActivityFilter } from "./activity-filter";

const PAGE_SIZE = 200;

/** `GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values`. */
export function createActivityLogRoutes(world: CloudWorld): ArmRoute[] {
  return [
    listRoute(["subscription", "Microsoft.Insights/eventtypes/values"], (request) => list(world, request)),
    listRoute(["tenant", "Microsoft.Insights/eventcategories"], () => ({
      status: 200,
      body: { value: ["Administrative"].map((value) => ({ value, localizedValue: value })) },
    })),
  ];
}

function list(world: CloudWorld, request: ArmRequest): ArmReply {
  const { path, query } = request;
  if (path.names[0]?.toLowerCase() !== "management")
    throw new ArmError(404, { code: "NotFound", message: `There are no events of the type '${path.names[0] ?? ""}'.` });
  const filter = parseActivityFilter(query.get("$filter"));
  const before = tokenOf(query.get("$skiptoken"));
  const { rows, next } = world.activityLog.page(path.subscriptionId ?? "", filter, { before, size: PAGE_SIZE });
  const value = rows.map((row) => selected(row, query.get("$select")));
  return { status: 200, body: { value, ...(next === undefined ? {} : { nextLink: linkTo(request, next) }) } };
}

function tokenOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const number = Number(Buffer.from(text, "base64url").toString("utf8"));
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ArmError(400, {
    code: "BadRequest",
    message: "The value of the query parameter '$skiptoken' is not valid.",
  });
}

function selected(row: Readonly<Record<string, unknown>>, select: string | null): object {
  if (!select) return row;
  const wanted = new Set(select.split(",").map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name.toLowerCase())));
}

function linkTo({ headers, path, query }: ArmRequest, next: number): string {
  const following = new URLSearchParams(query);
  following.set("$skiptoken", Buffer.from(String(next), "utf8").toString("base64url"));
  const { subscriptionId = "" } = path;
  const place = `/subscriptions/${subscriptionId}/providers/Microsoft.Insights/eventtypes/management/values`;
  return `https://${headers.host ?? "localhost"}${place}?${following.toString().replaceAll("+", "%20")}`;
}
