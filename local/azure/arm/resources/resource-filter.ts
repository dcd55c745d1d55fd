import { ArmError } from "../arm-error";
import { isSame, type JsonObject, locationName, type StoredResource } from "../resource-store";
import { type FilterExpression, type FilterTerm, parseFilter } from "./odata-filter";

export interface ResourceFilter {
  readonly keep: (resource: StoredResource) => boolean;
  /** Who filters by a tag's name and value is not shown the tags. */
  readonly hidesTags: boolean;
}

const TAGS = ["eq tagname", "eq tagvalue"];
const COMPARED = [
  ...["location", "resourcetype", "name", "resourcegroup", "identity", "identity/principalid"],
  ...["plan", "plan/publisher", "plan/product", "plan/name", "plan/version", "plan/promotioncode"],
];

/** What each list may be filtered by, and nothing else: https://learn.microsoft.com/rest/api/resources/resources/list */
const ALLOWED = {
  groups: new Set(TAGS),
  resources: new Set([
    ...TAGS,
    ...COMPARED.flatMap((property) => [`eq ${property}`, `ne ${property}`]),
    ...["substringof name", "substringof resourcegroup", "startswith tagname"],
  ]),
} as const;

const MAX_LENGTH = 2048;

export function parseResourceFilter(text: string | null, list: keyof typeof ALLOWED): ResourceFilter {
  const filter = (text ?? "").trim();
  if (filter === "") return { keep: () => true, hidesTags: false };
  const expression = filter.length > MAX_LENGTH ? undefined : parseFilter(filter);
  const terms = expression ? termsOf(expression) : [];
  const isAllowed = terms.every(({ kind, property }) => ALLOWED[list].has(`${kind} ${property}`));
  const properties = terms.map(({ property }) => property);
  if (!expression || !isAllowed || (properties.includes("tagvalue") && !properties.includes("tagname")))
    throw invalidFilter(filter);
  return {
    keep: (resource) => matches(resource, expression),
    hidesTags: list === "resources" && properties.includes("tagvalue"),
  };
}

const termsOf = (expression: FilterExpression): FilterTerm[] =>
  "parts" in expression ? expression.parts.flatMap(termsOf) : [expression];

type Tag = readonly [name: string, value: string];

/** A tag's name and value must be those of one tag: the whole filter is asked once for each. */
function matches(resource: StoredResource, expression: FilterExpression): boolean {
  const tags: (Tag | undefined)[] = Object.entries((resource.body["tags"] ?? {}) as Readonly<Record<string, string>>); // checked when it was written
  return (tags.length > 0 ? tags : [undefined]).some((tag) => holds(expression, { resource, tag }));
}

interface Candidate {
  readonly resource: StoredResource;
  readonly tag: Tag | undefined;
}

function holds(expression: FilterExpression, candidate: Candidate): boolean {
  if (!("parts" in expression)) return isTrue(expression, candidate);
  const { kind, parts } = expression;
  return kind === "and" ? parts.every((part) => holds(part, candidate)) : parts.some((part) => holds(part, candidate));
}

function isTrue({ kind, property, value }: FilterTerm, { resource, tag }: Candidate): boolean {
  if (property === "tagvalue") return tag?.[1] === value;
  const given = property === "tagname" ? tag?.[0] : valueOf(resource, property);
  const wanted = property === "location" ? locationName(value) : value.toLowerCase();
  const found = given?.toLowerCase();
  switch (kind) {
    case "eq":
      return found === wanted;
    case "ne":
      return found !== wanted;
    case "substringof":
      return found?.includes(wanted) ?? false;
    case "startswith":
      return found?.startsWith(wanted) ?? false;
  }
}

function valueOf({ body, type, name, group }: StoredResource, property: string): string | undefined {
  if (property === "resourcetype") return type;
  if (property === "name") return name;
  if (property === "resourcegroup") return group;
  const [first = "", second] = property.split("/");
  const outer = memberOf(body, first);
  // `identity eq 'SystemAssigned'` asks for its type.
  const found = second === undefined && first === "identity" ? memberOf(outer, "type") : memberOf(outer, second);
  return typeof found === "string" ? found : undefined;
}

function memberOf(value: unknown, name: string | undefined): unknown {
  if (name === undefined || typeof value !== "object" || value === null) return name === undefined ? value : undefined;
  return Object.entries(value as JsonObject).find(([given]) => isSame(given, name))?.[1];
}

/** Its words: https://github.com/Azure/azure-sdk-for-go/issues/2480 */
const invalidFilter = (filter: string): ArmError =>
  new ArmError(400, {
    code: "InvalidFilterInQueryString",
    message: `Invalid $filter '${filter}' specified in the query string.`,
  });
