import { join } from "node:path";
import { triggerKindOf, triggerOf } from "./bindings";
import type { RegisteredFunction } from "./core-api";
import type { HostConfig } from "./host-json";
import type { Invoker } from "./invoker";
import type { Log } from "./log";
import type { Outputs } from "./outputs";
import { retryPolicyOf } from "./retry-policy";
import { Router, routeOf } from "./router";
import type { Route } from "./router";
import type { ServiceBusClients } from "./service-bus-clients";
import { ServiceBusTrigger } from "./service-bus-trigger";
import { isDisabled } from "./settings";
import type { Settings } from "./settings";
import type { StorageQueueClients } from "./storage-queue-clients";
import { StorageQueueTrigger } from "./storage-queue-trigger";
import { TimerState } from "./timer-state";
import { TimerTrigger } from "./timer-trigger";

export interface TriggerParts {
  readonly config: HostConfig;
  readonly settings: Settings;
  readonly invoker: Invoker;
  readonly log: Log;
  readonly dataFolder: string;
  readonly serviceBus: ServiceBusClients;
  readonly storageQueues: StorageQueueClients;
  readonly outputs: Outputs;
}

/** Something that looks for messages by itself. */
interface Listener {
  start(): Promise<void>;
  stop(): void;
  close(timeoutMs: number): Promise<void>;
}

interface BoundTriggers {
  readonly routes: Route[];
  readonly eventGrid: RegisteredFunction[];
  readonly timers: TimerTrigger[];
  readonly listeners: Listener[];
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
    for (const listener of this.bound.listeners) await listener.start();
    for (const timer of this.bound.timers) timer.start();
  }

  stop(): void {
    for (const timer of this.bound.timers) timer.stop();
    for (const listener of this.bound.listeners) listener.stop();
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.bound.listeners.map((listener) => listener.close(timeoutMs)));
  }
}

export function bindTriggers(functions: readonly RegisteredFunction[], parts: TriggerParts): Triggers {
  const state = new TimerState(join(parts.dataFolder, "timers.json"));
  const bound: BoundTriggers = { routes: [], eventGrid: [], timers: [], listeners: [] };
  for (const fn of functions) {
    const disabled = isDisabled(fn.metadata.name, parts.settings);
    if (disabled) parts.log(`Function 'Functions.${fn.metadata.name}' is disabled.`);
    parts.outputs.check(fn);
    bind(fn, bound, { ...parts, state, disabled });
  }
  return new Triggers(bound);
}

function bind(
  fn: RegisteredFunction,
  bound: BoundTriggers,
  parts: TriggerParts & { readonly state: TimerState; readonly disabled: boolean },
): void {
  const { config, log, disabled } = parts;
  const trigger = triggerOf(fn);
  const kind = triggerKindOf(fn);
  if (kind === undefined)
    log(`Function '${fn.metadata.name}' never fires here: this host has no trigger of type ${trigger.type}`);
  // A disabled function over HTTP is there for the holder of the master key; nothing else fires one.
  if (kind === "httptrigger")
    bound.routes.push(routeOf(fn, trigger, { routePrefix: config.http.routePrefix, disabled }));
  if (kind === "timertrigger") {
    const timer = new TimerTrigger(fn, trigger, parts);
    if (!disabled) bound.timers.push(timer);
    return;
  }
  retryPolicyOf(fn, log);
  if (disabled) return;
  if (kind === "servicebustrigger")
    bound.listeners.push(
      new ServiceBusTrigger(fn, trigger, { ...parts, config: config.serviceBus, clients: parts.serviceBus }),
    );
  if (kind === "queuetrigger")
    bound.listeners.push(
      new StorageQueueTrigger(fn, trigger, { ...parts, config: config.queues, clients: parts.storageQueues }),
    );
  if (kind === "eventgridtrigger") bound.eventGrid.push(fn);
}
