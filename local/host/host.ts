import { join } from "node:path";
import { clientBindingOf } from "../durable/client-binding";
import { ManagementApi } from "../durable/management-api";
import { TaskHub } from "../durable/task-hub";
import { CoreApi, installCoreApi } from "./core-api";
import { DurableDirectory } from "./durable-directory";
import { readHostConfig } from "./host-json";
import type { HostConfig } from "./host-json";
import { HostLock } from "./host-lock";
import { HttpServer } from "./http-server";
import type { HttpHandler } from "./http-server";
import { Invoker, programmingModelOf } from "./invoker";
import { HostKey } from "./keys";
import { loadApp } from "./load-app";
import type { Log } from "./log";
import { createRpcHandler, createSiteHandler } from "./site";
import { applyLocalSettings, describeHost, publicHostName } from "./settings";
import { bindTriggers } from "./triggers";
import type { Triggers } from "./triggers";

export interface HostOptions {
  readonly appFolder: string;
  readonly port: number;
  readonly dataFolder: string;
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
  const { appFolder, log } = options;
  const config = readHostConfig(appFolder);
  const settings = applyLocalSettings(appFolder);
  const site = new Door();
  const rpc = new Door();
  const siteServer = await HttpServer.listen(options.port, site.serve, log);
  const rpcServer = await HttpServer.listen(0, rpc.serve, log);
  // A taken port is found first: whoever starts a host twice hears of the port at once.
  const lock = HostLock.acquire(options.dataFolder);
  describeHost(appFolder, siteServer.port);
  const key = new HostKey(settings);
  const links = { hubName: config.durable.hubName, publicOrigin: `http://${publicHostName(settings)}`, key: key.value };
  const binding = clientBindingOf({ ...links, rpcBaseUrl: `http://127.0.0.1:${rpcServer.port}/durabletask/` });
  const api = new CoreApi((level, category, message) => log(`[${category}] ${level}: ${message}`));
  const invoker = new Invoker({
    api,
    log,
    timeoutMs: config.functionTimeoutMs,
    logLevel: config.logLevel,
    durableClient: () => binding,
    onTimeout: options.onTimeout,
  });
  await load(api, invoker, appFolder);
  const directory = new DurableDirectory(api.functions, invoker);
  const hub = openHub(options, config, directory);
  const triggers = bindTriggers(api.functions, { config, settings, invoker, log, dataFolder: options.dataFolder });
  const management = new ManagementApi(hub, directory, links);
  site.handler = createSiteHandler({ triggers, invoker, key, log, management });
  rpc.handler = createRpcHandler(management);
  hub.open();
  await triggers.start();
  announce(api, log);
  return {
    port: siteServer.port,
    stop: (timeoutMs) => stop({ siteServer, rpcServer, site, triggers, invoker, hub, lock }, timeoutMs),
  };
}

async function load(api: CoreApi, invoker: Invoker, appFolder: string): Promise<void> {
  process.chdir(appFolder);
  installCoreApi(api);
  await loadApp(appFolder);
  const capabilities = await programmingModelOf(api).getCapabilities?.({});
  if (capabilities?.["HttpUri"] !== undefined)
    throw new Error("app.setup({ enableHttpStream: true }) is not simulated yet by this host");
  await invoker.appHook("appStart");
}

function openHub({ dataFolder, log }: HostOptions, { durable }: HostConfig, directory: DurableDirectory): TaskHub {
  return new TaskHub({
    functions: directory,
    journalPath: join(dataFolder, "durable.sqlite"),
    maxConcurrentActivities: durable.maxConcurrentActivities,
    overridable: durable.overridable,
    log,
  });
}

interface Running {
  readonly siteServer: HttpServer;
  readonly rpcServer: HttpServer;
  readonly site: Door;
  readonly triggers: Triggers;
  readonly invoker: Invoker;
  readonly hub: TaskHub;
  readonly lock: HostLock;
}

/** Takes no new work, lets what runs come to its end for that long, and leaves the journal closed. */
async function stop(
  { siteServer, rpcServer, site, triggers, invoker, hub, lock }: Running,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const leftMs = (): number => Math.max(deadline - Date.now(), 0);
  site.handler = () => Promise.resolve({ status: 503, headers: { connection: "close" } });
  siteServer.stopListening();
  triggers.stop();
  hub.pause();
  await invoker.drain(leftMs());
  await siteServer.close(leftMs());
  await triggers.close(leftMs());
  await invoker.appHook("appTerminate");
  await hub.close();
  await rpcServer.close(0);
  lock.release();
}

function announce({ functions }: CoreApi, log: Log): void {
  log("Host lock lease acquired by instance ID 'local'.");
  log("Functions:");
  for (const { metadata } of functions) {
    const trigger = Object.values(metadata.bindings).find(({ type }) => /trigger$/i.test(type));
    log(`\t${metadata.name}: ${trigger?.type ?? "no trigger"}`);
  }
}
