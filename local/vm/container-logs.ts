import { closeSync, openSync, readSync, watch, type FSWatcher } from "node:fs";
import type { ContainerStore } from "./container-store";

const LOOK_AGAIN_MS = 250;
const CHUNK_BYTES = 64 * 1024;

/** Resolves when the container has ended. Its folder tells at once of an end by itself, a look now and then of one by force. */
export async function waitForEnd(store: ContainerStore, name: string, onLook: () => void): Promise<void> {
  let wake: () => void = () => undefined;
  const watcher = watcherOf(store.folderOf(name), () => wake());
  try {
    for (;;) {
      const record = store.find(name);
      const over = !record || !store.statusOf(record).Running;
      onLook();
      if (over) return;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => resolve(undefined), LOOK_AGAIN_MS);
      wake = () => resolve(undefined);
      await promise;
      clearTimeout(timer);
    }
  } finally {
    watcher?.close();
  }
}

/** Hands on all that a log holds beyond what was handed on before. */
export function createLogReader(path: string, onChunk: (chunk: Buffer) => void): { read(): void; close(): void } {
  const file = openSync(path, "r");
  return {
    read: () => {
      for (;;) {
        const buffer = Buffer.alloc(CHUNK_BYTES);
        const count = readSync(file, buffer, 0, CHUNK_BYTES, null);
        if (count === 0) return;
        onChunk(buffer.subarray(0, count));
      }
    },
    close: () => closeSync(file),
  };
}

/** Undefined where the computer has no more watchers to give; looking again does as well. */
function watcherOf(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
