import { ArmError } from "../arm-error";

/** What the activity log can be asked for: a span of time, and at most one thing beside it. */
export interface ActivityFilter {
  readonly from: string;
  readonly to: string | undefined;
  readonly resourceGroupName?: string | undefined;
  readonly resourceUri?: string | undefined;
  readonly resourceProvider?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly caller?: string | undefined;
  readonly status?: string | undefined;
}

const TERM = /^\s*([A-Za-z]+)\s+(eq|ge|le)\s+'((?:[^']|'')*)'\s*$/;
const EQUALS = new Set(["resourcegroupname", "resourceuri", "resourceprovider", "correlationid", "caller", "status"]);
const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;

/** https://learn.microsoft.com/rest/api/monitor/activity-logs/list: "very restricted, only the following patterns". */
export function parseActivityFilter(text: string | null): ActivityFilter {
  if (!text) throw refusal("The query parameter '$filter' is required, with a start of 'eventTimestamp'.");
  const found = new Map<string, string>();
  for (const part of text.split(/\s+and\s+/i)) {
    const [, name = "", operator = "", value = ""] = TERM.exec(part) ?? [];
    const key = `${name.toLowerCase()} ${operator.toLowerCase()}`;
    const isTime = /^eventtimestamp (ge|le)$/.test(key);
    // `eventChannels eq 'Admin, Operation'` is what portals send; every line here is of both.
    const isKnown =
      isTime || (operator === "eq" && (EQUALS.has(name.toLowerCase()) || name.toLowerCase() === "eventchannels"));
    if (!isKnown) throw refusal(`The filter '${part.trim()}' is not supported.`);
    if (found.has(key)) throw refusal(`The filter names '${name}' more than once.`);
    found.set(key, isTime ? timeOf(value) : value.replaceAll("''", "'"));
  }
  const from = found.get("eventtimestamp ge");
  if (from === undefined) throw refusal("The filter must have a start time: eventTimestamp ge '<time>'.");
  const to = found.get("eventtimestamp le");
  if (to !== undefined && to < from) throw refusal("The end time must not be before the start time.");
  if (Date.parse(from) < Date.now() - KEPT_DAYS * DAY_MS)
    throw refusal(`The start time cannot be more than ${KEPT_DAYS} days in the past.`);
  const equal = (name: string): string | undefined => found.get(`${name} eq`);
  return {
    from,
    to,
    resourceGroupName: equal("resourcegroupname"),
    resourceUri: equal("resourceuri"),
    resourceProvider: equal("resourceprovider"),
    correlationId: equal("correlationid"),
    caller: equal("caller"),
    status: equal("status"),
  };
}

function timeOf(value: string): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) throw refusal(`'${value}' is not a time.`);
  return time.toISOString();
}

const refusal = (message: string): ArmError => new ArmError(400, { code: "BadRequest", message });
