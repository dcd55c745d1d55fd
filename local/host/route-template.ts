/** ASP.NET Core's route templates, as far as the `route` of an HTTP trigger uses them. */

type Part =
  { readonly kind: "literal"; readonly text: string } | { readonly kind: "parameter"; readonly parameter: Parameter };

interface Parameter {
  readonly name: string;
  readonly optional: boolean;
  readonly catchAll: boolean;
  readonly fallback: string | undefined;
  readonly constraints: readonly ((value: string) => boolean)[];
}

interface Segment {
  readonly parts: readonly Part[];
  readonly pattern: RegExp;
  /** Lower is more specific: literal, literal with parameters, constrained, plain, catch-all. */
  readonly precedence: number;
}

export interface RouteTemplate {
  readonly text: string;
  readonly segments: readonly Segment[];
}

export function parseTemplate(route: string): RouteTemplate {
  const text = route.replace(/^\/+|\/+$/g, "");
  const segments = splitSegments(text.replaceAll("{{", OPEN).replaceAll("}}", CLOSE)).map((segment) =>
    segmentOf(segment, route),
  );
  return { text, segments };
}

/** A doubled brace stands for itself; while a template is read these stand for it. */
const OPEN = "\u0001";
const CLOSE = "\u0002";

function unescape(text: string): string {
  return text.replaceAll(OPEN, "{").replaceAll(CLOSE, "}");
}

/** The parameters of a path that the template takes, undefined for any other path. Segments come decoded. */
export function matchTemplate(
  { segments }: RouteTemplate,
  path: readonly string[],
): Record<string, string> | undefined {
  const values: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const parameter = soleParameter(segment);
    const value = parameter?.catchAll === true ? path.slice(index).join("/") : path[index];
    if (value === undefined || value === "") {
      if (!parameter || !acceptAbsent(parameter, values)) return undefined;
      continue;
    }
    if (!matchSegment(segment, value, values)) return undefined;
    if (parameter?.catchAll === true) return values;
  }
  return path.length <= segments.length ? values : undefined;
}

/** Orders templates so that the first one that matches is the one that ASP.NET Core would take. */
export function compareTemplates(a: RouteTemplate, b: RouteTemplate): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a.segments[index]?.precedence ?? 0) - (b.segments[index]?.precedence ?? 0);
    if (difference !== 0) return difference;
  }
  return a.text.localeCompare(b.text);
}

/** Slashes inside braces (a regular expression, say) part nothing. */
function splitSegments(text: string): string[] {
  if (text === "") return [];
  const segments: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of text) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character !== "/" || depth > 0) current += character;
    else {
      segments.push(current);
      current = "";
    }
  }
  return [...segments, current];
}

function segmentOf(text: string, route: string): Segment {
  const parts: Part[] = [];
  const token = /\{([^{}]*)\}|([^{}]+)/gy;
  let end = 0;
  for (const match of text.matchAll(token)) {
    end = match.index + match[0].length;
    if (match[1] === undefined) parts.push({ kind: "literal", text: unescape(match[0]) });
    else parts.push({ kind: "parameter", parameter: parameterOf(match[1], route) });
  }
  if (end !== text.length || parts.length === 0) throw new Error(`Bad route template '${route}' at '${text}'`);
  return { parts, pattern: patternOf(parts), precedence: precedenceOf(parts) };
}

function patternOf(parts: readonly Part[]): RegExp {
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const body = parts.map((part) => (part.kind === "literal" ? escape(part.text) : "(.+)")).join("");
  return new RegExp(`^${body}$`, "is");
}

function precedenceOf(parts: readonly Part[]): number {
  const [first] = parts;
  if (parts.length > 1) return 2;
  if (first?.kind !== "parameter") return 1;
  const { catchAll, constraints } = first.parameter;
  if (catchAll) return constraints.length > 0 ? 5 : 6;
  return constraints.length > 0 ? 3 : 4;
}

function parameterOf(text: string, route: string): Parameter {
  const match = /^(\*{0,2})([^:=?*]+)((?::(?:[^:=?(]+(?:\((?:[^()]|\([^()]*\))*\))?))*)(?:=([^?]*))?(\?)?$/.exec(text);
  if (!match) throw new Error(`Bad route parameter '{${text}}' in '${route}'`);
  const [, stars = "", name = "", constraints = "", fallback, question] = match;
  const calls = constraints.match(/:[^:(]+(?:\((?:[^()]|\([^()]*\))*\))?/g) ?? [];
  return {
    name,
    catchAll: stars !== "",
    optional: question !== undefined,
    fallback,
    constraints: calls.map((call) => constraintOf(call.slice(1), route)),
  };
}

function soleParameter({ parts }: Segment): Parameter | undefined {
  const [first] = parts;
  return parts.length === 1 && first?.kind === "parameter" ? first.parameter : undefined;
}

function acceptAbsent({ name, optional, catchAll, fallback }: Parameter, values: Record<string, string>): boolean {
  if (fallback !== undefined) values[name] = fallback;
  else if (catchAll) values[name] = "";
  return optional || catchAll || fallback !== undefined;
}

function matchSegment(segment: Segment, value: string, values: Record<string, string>): boolean {
  const match = segment.pattern.exec(value);
  if (!match) return false;
  let group = 0;
  for (const part of segment.parts) {
    if (part.kind === "literal") continue;
    const text = match[(group += 1)] ?? "";
    if (!part.parameter.constraints.every((accepts) => accepts(text))) return false;
    values[part.parameter.name] = text;
  }
  return true;
}

const PATTERNS: Readonly<Record<string, RegExp>> = {
  int: /^[+-]?\d{1,10}$/,
  long: /^[+-]?\d{1,19}$/,
  bool: /^(true|false)$/i,
  decimal: /^[+-]?\d+(\.\d+)?$/,
  double: /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i,
  float: /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i,
  guid: /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i,
  alpha: /^[a-z]*$/i,
  required: /./s,
};

function constraintOf(text: string, route: string): (value: string) => boolean {
  const [, name = "", argument] = /^([a-z]+)(?:\((.*)\))?$/is.exec(text) ?? [];
  const pattern = PATTERNS[name.toLowerCase()];
  if (pattern && argument === undefined) return (value) => pattern.test(value);
  const [low = Number.NaN, high = low] = (argument ?? "").split(",").map(Number);
  switch (name.toLowerCase()) {
    case "datetime":
      return (value) => !Number.isNaN(Date.parse(value));
    case "minlength":
      return ({ length }) => length >= low;
    case "maxlength":
      return ({ length }) => length <= low;
    case "length":
      return ({ length }) => length >= low && length <= high;
    case "min":
      return (value) => Number(value) >= low;
    case "max":
      return (value) => Number(value) <= low;
    case "range":
      return (value) => Number(value) >= low && Number(value) <= high;
    case "regex": {
      const expression = new RegExp(unescape(argument ?? ""), "i");
      return (value) => expression.test(value);
    }
    default:
      throw new Error(`Unknown route constraint ':${text}' in '${route}'`);
  }
}
