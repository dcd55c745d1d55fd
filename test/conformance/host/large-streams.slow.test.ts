import { get, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { platform } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sharedApp } from "../../local/host/support";
import { peakMiB, residentMiB } from "./process-memory";

const MEBIBYTES = 512;
/** Far below the body: the buffers of a few sockets, and what the collector has not come to yet. */
const MOST_GROWTH_MIB = 160;
const app = sharedApp("streams", { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(1024 ** 3) } });

// The peak of another process is read from /proc.
const onLinux = platform() === "linux" ? it : it.skip;

function tell(what: string, startedAt: number, growthMiB: number): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stderr.write(
    `${what} of ${MEBIBYTES} MB: ${seconds.toFixed(1)} s, peak ${peakMiB(app().pid).toFixed(0)} MB, growth ${growthMiB.toFixed(0)} MB\n`,
  );
}

onLinux("takes a body of 512 MB in constant memory (@azure/functions 4.16, enableHttpStream)", async () => {
  await app().request("GET", "/facts/warm");
  const before = residentMiB(app().pid);
  const startedAt = performance.now();
  const chunk = Buffer.alloc(1024 * 1024, "u");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request({ host: "127.0.0.1", port: app().port, path: "/upload", method: "POST" }, (response) => {
    void response.toArray().then((parts) => resolve(Buffer.concat(parts as Buffer[]).toString()), reject);
  });
  await pipeline(Readable.from(Array.from({ length: MEBIBYTES }, () => chunk)), call);
  const { bytes } = JSON.parse(await promise) as { bytes: number };
  const growth = peakMiB(app().pid) - before;

  tell("upload", startedAt, growth);
  expect(bytes).toBe(MEBIBYTES * 1024 * 1024);
  expect(growth).toBeLessThan(MOST_GROWTH_MIB);
});

onLinux(
  "answers with 512 MB in constant memory, to a reader that is slower than the function (@azure/functions 4.16, enableHttpStream)",
  async () => {
    await app().request("GET", "/facts/warm");
    const before = residentMiB(app().pid);
    const startedAt = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get({ host: "127.0.0.1", port: app().port, path: `/download/${MEBIBYTES}` }, resolve).on("error", reject);
    const response = await promise;
    // Nobody reads while the host answers all these: time enough for a function to fill its memory.
    for (let count = 0; count < 200; count += 1) await app().request("GET", "/facts/meanwhile");
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    const growth = peakMiB(app().pid) - before;

    tell("download", startedAt, growth);
    expect(bytes).toBe(MEBIBYTES * 1024 * 1024);
    expect(growth).toBeLessThan(MOST_GROWTH_MIB);
  },
);
