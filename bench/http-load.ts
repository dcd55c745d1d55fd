import { Agent, request } from "node:http";

export interface Load {
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly total: number;
  readonly atOnce: number;
}

export interface LoadResult {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

/** Sends `total` requests, `atOnce` of them under way at any time; every answer must be a 200. */
export async function runLoad({ port, method, path, total, atOnce }: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const latenciesMs: number[] = [];
  let left = total;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await send({ port, method, path, agent });
      latenciesMs.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return { seconds, latenciesMs };
}

function send(options: { port: number; method: string; path: string; agent: Agent }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const outgoing = request(
    { host: "127.0.0.1", ...options, headers: { "content-type": "application/json" } },
    (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) resolve(undefined);
        else reject(new Error(`${options.method} ${options.path} answered ${response.statusCode ?? "nothing"}`));
      });
    },
  );
  outgoing.on("error", reject);
  outgoing.end();
  return promise;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
