import { join } from "node:path";
import { clientBindingOf } from "../durable/client-binding";
import { ManagementApi } from "../durable/management-api";
import { TaskHub } from "../durable/task-hub";
import { refusalOf } from "./bindings";
import { CoreApi, installCoreApi } from "./core-api";
import type { RegisteredFunction } from "./core-api";
import { DurableDirectory } from "./durable-directory";
import { readHostConfig } from "./host-json";
import type { HostConfig } from "./host-json";
import { HostLock } from "./host-lock";
import { maxBodyBytesOf } from "./http-request";
import { HttpServer } from "./http-server";
import type { HttpHandler } from "./http-server";
import { RequestLoad } from "./http-trigger";
import { InvocationLog } from "./invocation-log";
import { Invoker, programmingModelOf } from "./invoker";
import { HostKeys } from "./keys";
import { loadApp } from "./load-app";
import type { Log } from "./log";
import { LogLevels } from "./log-level";
import { Outputs } from "./outputs";
import { ServiceBusClients } from "./service-bus-clients";
import { createRpcHandler, createSiteHandler } from "./site";
import { applyLocalSettings, describeHost, publicHostName } from "./settings";
import type { Settings } from "./settings";
import { announce, instanceIdOf } from "./startup-log";
import { StorageQueueClients } from "./storage-queue-clients";
import { bindTriggers } from "./triggers";
import type { Triggers } from "./triggers";

export interface HostOptions {
  readonly appFolder: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Keys are asked for, as `func start --enableAuth` does. */
  readonly enableAuth: boolean;
  readonly log: Log;
  /** An invocation ran over `functionTimeout`. */
  readonly onTimeout: (functionName: string) => void;
}

export interface Host {
  readonly port: number;
  stop(timeoutMs: number): Promise<void>;
}

/** A port that answers 503 until the app behind it is ready: a taken port is found before the app is loaded. */
class Door {
  handler: HttpHandler = () => Promise.resolve({ status: 503, headers: { "retry-after": "1" } });

  readonly serve: HttpHandler = (request) => this.handler(request);
}

/** Loads the app in that folder and serves its triggers. An app can be loaded once in a process. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { appFolder, dataFolder, log } = options;
  const settings = applyLocalSettings(appFolder);
  const config = readHostConfig(appFolder, settings);
  const site = new Door();
  const rpc = new Door();
  const http = { log, maxBodyBytes: maxBodyBytesOf(settings) };
  const siteServer = await HttpServer.listen(options.port, site.serve, http);
  const rpcServer = await HttpServer.listen(0, rpc.serve, http);
  // A taken port is found first: whoever starts a host twice hears of the port at once.
  const lock = HostLock.acquire(dataFolder);
  describeHost(appFolder, siteServer.port);
  const keys = new HostKeys(settings, options);
  const publicOrigin = `http://${publicHostName(settings)}`;
  const links = { hubName: config.durable.hubName, publicOrigin, key: keys.webhookKey };
  const binding = clientBindingOf({ ...links, rpcBaseUrl: `http://127.0.0.1:${rpcServer.port}/durabletask/` });
  const app = prepareApp(options, { config, settings, binding });
  const { api, invoker } = app;
  const streamPort = await load(app, appFolder);
  const functions = runnable(api.functions, config, log);
  const directory = new DurableDirectory(functions, invoker);
  const hub = openHub(options, config, directory);
  const triggers = bindTriggers(functions, { ...app, config, settings, log, dataFolder });
  const management = new ManagementApi(hub, directory, links);
  const { maxOutstandingRequests, customHeaders, routePrefix } = config.http;
  const load429 = new RequestLoad(maxOutstandingRequests);
  const instanceId = instanceIdOf(appFolder);
  const serving = { triggers, invoker, keys, management, functions, settings, instanceId };
  site.handler = createSiteHandler({ ...serving, streamPort, customHeaders, load: load429 });
  rpc.handler = createRpcHandler(management);
  hub.open();
  await triggers.start();
  announce({ functions, instanceId, origin: publicOrigin, routePrefix, log });
  return {
    port: siteServer.port,
    stop: (timeoutMs) => stop({ ...app, siteServer, rpcServer, site, triggers, hub, lock }, timeoutMs),
  };
}

interface App {
  readonly api: CoreApi;
  readonly invoker: Invoker;
  readonly outputs: Outputs;
  readonly serviceBus: ServiceBusClients;
  readonly storageQueues: StorageQueueClients;
}

function prepareApp(
  { log, onTimeout }: HostOptions,
  { config, settings, binding }: { config: HostConfig; settings: Settings; binding: string },
): App {
  const levels = new LogLevels(config.logLevels);
  const api = new CoreApi((level, category, message) => {
    if (levels.isShown(level, category === "user" ? "Worker.User" : "Worker"))
      log(`[${category}] ${level}: ${message}`);
  });
  const serviceBus = new ServiceBusClients(settings, config.serviceBus);
  const storageQueues = new StorageQueueClients(settings);
  const outputs = new Outputs({ settings, queues: config.queues, serviceBus, storageQueues });
  const invoker = new Invoker({
    api,
    log: new InvocationLog(log, levels),
    timeoutMs: config.functionTimeoutMs,
    durableClient: () => binding,
    emitOutputs: (fn, response) => outputs.emit(fn, response),
    onTimeout,
  });
  return { api, invoker, outputs, serviceBus, storageQueues };
}

/** The port where the app's library takes requests as streams; undefined unless the app enabled that. */
async function load({ api, invoker }: App, appFolder: string): Promise<number | undefined> {
  process.chdir(appFolder);
  installCoreApi(api);
  await loadApp(appFolder);
  const capabilities = await programmingModelOf(api).getCapabilities?.({});
  await invoker.appHook("appStart");
  const uri = capabilities?.["HttpUri"];
  return uri === undefined ? undefined : Number(new URL(uri).port);
}

/** Without the functions that host.json leaves out, and those that this host would run with data missing. */
function runnable(all: readonly RegisteredFunction[], config: HostConfig, log: Log): readonly RegisteredFunction[] {
  const listed = config.functions?.map((name) => name.toLowerCase());
  return all.filter((fn) => {
    if (listed && !listed.includes(fn.metadata.name.toLowerCase())) return false;
    const refusal = refusalOf(fn);
    if (refusal !== undefined) log(refusal);
    return refusal === undefined;
  });
}

function openHub({ dataFolder, log }: HostOptions, { durable }: HostConfig, directory: DurableDirectory): TaskHub {
  return new TaskHub({
    functions: directory,
    journalPath: join(dataFolder, "durable.sqlite"),
    maxConcurrentActivities: durable.maxConcurrentActivities,
    overridable: durable.overridable,
    settings: durable.settings,
    identity: { endpoint: process.env["IDENTITY_ENDPOINT"], header: process.env["IDENTITY_HEADER"] },
    log,
  });
}

interface Running extends App {
  readonly siteServer: HttpServer;
  readonly rpcServer: HttpServer;
  readonly site: Door;
  readonly triggers: Triggers;
  readonly hub: TaskHub;
  readonly lock: HostLock;
}

/** Takes no new work, lets what runs come to its end for that long, and leaves the journal closed. */
async function stop(running: Running, timeoutMs: number): Promise<void> {
  const { siteServer, rpcServer, site, triggers, invoker, hub, lock, serviceBus } = running;
  const deadline = Date.now() + timeoutMs;
  const leftMs = (): number => Math.max(deadline - Date.now(), 0);
  site.handler = () => Promise.resolve({ status: 503, headers: { connection: "close" } });
  siteServer.stopListening();
  triggers.stop();
  hub.pause();
  await invoker.drain(leftMs());
  await siteServer.close(leftMs());
  await triggers.close(leftMs());
  await serviceBus.close();
  await invoker.appHook("appTerminate");
  await hub.close();
  await rpcServer.close(0);
  lock.release();
}
