import { resolve, join } from "node:path";
import { parseArgs } from "node:util";
import { startHost } from "./host";
import type { Host } from "./host";
import { describeError, stderrLog as log } from "./log";
import { localPortOf } from "./settings";

/** Longer than most invocations take, shorter than a supervisor's patience. */
const STOP_TIMEOUT_MS = 15_000;
/** The Functions Core Tools' own. */
const DEFAULT_PORT = 7071;
const USAGE = "usage: main.js <app folder> [--port N] [--data DIR] [--enable-auth]";

interface Arguments {
  readonly appFolder: string;
  readonly port: number;
  readonly dataFolder: string;
  readonly enableAuth: boolean;
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string" }, data: { type: "string" }, "enable-auth": { type: "boolean" } },
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error(USAGE);
  const appFolder = resolve(folder);
  const port = Number(values.port ?? localPortOf(appFolder) ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(USAGE);
  const dataFolder = resolve(values.data ?? join(appFolder, ".corral", "host"));
  return { appFolder, port, dataFolder, enableAuth: values["enable-auth"] === true };
}

/** The state of a process whose app threw outside every handler is unknown: it ends, as a Functions worker does, and is started again. */
function endOnUncaught(): void {
  process.on("uncaughtException", (error) => {
    log(`Worker process terminated by an uncaught exception: ${describeError(error)}`);
    process.exit(1);
  });
}

function stopOnSignals(host: Host): void {
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log(`Stopping (${reason})`);
    await host.stop(STOP_TIMEOUT_MS);
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
  // Without its supervisor nobody would ever end this process.
  process.on("disconnect", () => void stop("the supervisor is gone"));
}

async function main(): Promise<void> {
  endOnUncaught();
  const host = await startHost({
    ...readArguments(),
    log,
    onTimeout: (name) => {
      log(
        `Timeout value of functionTimeout was exceeded by function: ${name}. The host ends, as Azure restarts its worker.`,
      );
      process.exit(1);
    },
  });
  stopOnSignals(host);
  log(`Listening on http://localhost:${host.port}`);
  process.send?.({ type: "ready", port: host.port });
}

main().catch((error: unknown) => {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
