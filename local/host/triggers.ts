import { join } from "node:path";
import type { RegisteredFunction } from "./core-api";
import type { HostConfig } from "./host-json";
import { isDurableClient, isTrigger } from "./invoker";
import type { Invoker } from "./invoker";
import type { Log } from "./log";
import { Router, routeOf } from "./router";
import type { Route } from "./router";
import type { Binding } from "./rpc";
import { ServiceBusTrigger } from "./service-bus-trigger";
import type { Settings } from "./settings";
import { TimerState } from "./timer-state";
import { TimerTrigger } from "./timer-trigger";

export interface TriggerParts {
  readonly config: HostConfig;
  readonly settings: Settings;
  readonly invoker: Invoker;
  readonly log: Log;
  readonly dataFolder: string;
}

interface BoundTriggers {
  readonly routes: Route[];
  readonly eventGrid: RegisteredFunction[];
  readonly timers: TimerTrigger[];
  readonly queues: ServiceBusTrigger[];
}

/** The app's triggers, bound to what fires them. */
export class Triggers {
  readonly router: Router;
  readonly eventGrid: readonly RegisteredFunction[];

  constructor(private readonly bound: BoundTriggers) {
    this.router = new Router(bound.routes);
    this.eventGrid = bound.eventGrid;
  }

  async start(): Promise<void> {
    for (const queue of this.bound.queues) await queue.start();
    for (const timer of this.bound.timers) timer.start();
  }

  stop(): void {
    for (const timer of this.bound.timers) timer.stop();
    for (const queue of this.bound.queues) queue.stop();
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.bound.queues.map((queue) => queue.close(timeoutMs)));
  }
}

export function bindTriggers(functions: readonly RegisteredFunction[], parts: TriggerParts): Triggers {
  const { config, log } = parts;
  const state = new TimerState(join(parts.dataFolder, "timers.json"));
  const bound: BoundTriggers = { routes: [], eventGrid: [], timers: [], queues: [] };
  for (const fn of functions) {
    const trigger = triggerOf(fn);
    switch (trigger.type.toLowerCase()) {
      case "httptrigger":
        bound.routes.push(routeOf(fn, trigger, config.routePrefix));
        break;
      case "timertrigger":
        bound.timers.push(new TimerTrigger(fn, trigger, { ...parts, state }));
        break;
      case "servicebustrigger":
        bound.queues.push(new ServiceBusTrigger(fn, trigger, { ...parts, config: config.serviceBus }));
        break;
      case "eventgridtrigger":
        bound.eventGrid.push(fn);
        break;
      case "orchestrationtrigger":
      case "activitytrigger":
        break;
      default:
        log(`Function '${fn.metadata.name}' never fires here: this host has no trigger of type ${trigger.type}`);
    }
    warnOfBindings(fn, log);
  }
  return new Triggers(bound);
}

function triggerOf({ metadata }: RegisteredFunction): Binding {
  const trigger = Object.values(metadata.bindings).find(isTrigger);
  if (!trigger) throw new Error(`Function '${metadata.name}' has no trigger`);
  return trigger;
}

/** Data of other bindings would silently be missing, so it is said once at the start. */
function warnOfBindings({ metadata }: RegisteredFunction, log: Log): void {
  if (metadata.retryOptions !== undefined)
    log(`Function '${metadata.name}': its retry policy is not simulated by this host`);
  for (const binding of Object.values(metadata.bindings)) {
    const known = isTrigger(binding) || isDurableClient(binding) || binding.type === "http";
    if (!known)
      log(
        `Function '${metadata.name}': bindings of type ${binding.type} are not simulated by this host and stay empty`,
      );
  }
}
