import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { triggerKindOf, triggerOf } from "./bindings";
import type { RegisteredFunction } from "./core-api";
import type { Log } from "./log";
import { routeTextOf } from "./router";

/** Of the form that the real host gives itself: 32 hexadecimal digits, of which the last eight tell machines apart. */
export function instanceIdOf(appFolder: string): string {
  const digest = createHash("sha256").update(`${hostname()}\0${appFolder}`).digest("hex");
  return digest.slice(0, 8).toUpperCase().padStart(32, "0");
}

interface Announcement {
  readonly functions: readonly RegisteredFunction[];
  readonly instanceId: string;
  readonly origin: string;
  readonly routePrefix: string;
  readonly log: Log;
}

/** What the Functions Core Tools say when the host is up: HTTP functions with their methods and URLs, others with their trigger. */
export function announce({ functions, instanceId, origin, routePrefix, log }: Announcement): void {
  log(`Host lock lease acquired by instance ID '${instanceId}'.`);
  if (functions.length === 0) {
    log("No job functions found.");
    return;
  }
  log("Functions:");
  const isHttp = (fn: RegisteredFunction): boolean => triggerKindOf(fn) === "httptrigger";
  const byName = (a: RegisteredFunction, b: RegisteredFunction): number =>
    a.metadata.name.localeCompare(b.metadata.name);
  for (const fn of functions.filter(isHttp).sort(byName)) log(`\t${fn.metadata.name}: ${httpText(fn)}`);
  for (const fn of functions.filter((each) => !isHttp(each)).sort(byName))
    log(`\t${fn.metadata.name}: ${triggerOf(fn).type}`);

  function httpText(fn: RegisteredFunction): string {
    const trigger = triggerOf(fn);
    const list: unknown[] = Array.isArray(trigger["methods"]) ? trigger["methods"] : [];
    const methods = list.length > 0 ? `[${list.map((method) => String(method).toUpperCase()).join(",")}] ` : "";
    return `${methods}${origin}/${routeTextOf(fn, trigger, routePrefix)}`;
  }
}
