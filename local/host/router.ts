import type { RegisteredFunction } from "./core-api";
import type { AuthLevel } from "./keys";
import { compareTemplates, matchTemplate, parseTemplate } from "./route-template";
import type { RouteTemplate } from "./route-template";

export interface Route {
  readonly fn: RegisteredFunction;
  readonly template: RouteTemplate;
  /** Upper case; empty means any. */
  readonly methods: readonly string[];
  readonly level: AuthLevel;
  readonly disabled: boolean;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export class Router {
  private readonly routes: readonly Route[];

  constructor(routes: readonly Route[]) {
    this.routes = [...routes].sort((a, b) => compareTemplates(a.template, b.template));
  }

  find(method: string, path: string): RouteMatch | undefined {
    const segments = decodePath(path);
    if (!segments) return undefined;
    for (const route of this.routes) {
      if (route.methods.length > 0 && !route.methods.includes(method)) continue;
      const params = matchTemplate(route.template, segments);
      if (params) return { route, params };
    }
    return undefined;
  }
}

/** Decoded segment by segment, so that an encoded slash parts nothing; undefined when an escape is malformed. */
export function decodePath(path: string): readonly string[] | undefined {
  try {
    const segments = path.split("/").slice(1).map(decodeURIComponent);
    return segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  } catch {
    return undefined;
  }
}

interface RouteSetting {
  readonly routePrefix: string;
  readonly disabled?: boolean;
}

/** The route of an HTTP function; its name when it names none. */
export function routeOf(
  fn: RegisteredFunction,
  binding: Readonly<Record<string, unknown>>,
  { routePrefix, disabled = false }: RouteSetting,
): Route {
  const { methods } = binding;
  const list: unknown[] = Array.isArray(methods) ? methods : [];
  return {
    fn,
    disabled,
    template: parseTemplate(routeTextOf(fn, binding, routePrefix)),
    methods: list.map((method) => String(method).toUpperCase()),
    level: levelOf(binding["authLevel"]),
  };
}

export function routeTextOf(
  { metadata }: RegisteredFunction,
  { route }: Readonly<Record<string, unknown>>,
  routePrefix: string,
): string {
  const own = typeof route === "string" ? route : metadata.name;
  return `${routePrefix}/${own.replace(/^\//, "")}`.replace(/^\//, "");
}

function levelOf(level: unknown): AuthLevel {
  const name = typeof level === "string" ? level.toLowerCase() : "anonymous";
  // Whatever is no known level asks for a key rather than for none.
  return name === "anonymous" || name === "admin" ? name : "function";
}
