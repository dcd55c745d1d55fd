import { join } from "node:path";
import { useIdentityPlugin } from "@azure/identity";
import { readFileIfThere, removeFile, writePrivateFile } from "../private-file";

/** The part of MSAL's `ICachePlugin` and its context that is used here; @azure/identity hands it on as it is. */
interface CacheContext {
  readonly cacheHasChanged: boolean;
  readonly tokenCache: { serialize(): string; deserialize(text: string): void };
}

interface PluginContext {
  readonly cachePluginControl: {
    setPersistence(factory: (options?: { name?: string }) => Promise<object>): void;
  };
}

const FILES = ["tokens.cae.json", "tokens.nocae.json"] as const;
const fileOf = (folder: string, name = ""): string => join(folder, name.endsWith(".cae") ? FILES[0] : FILES[1]);

/**
 * Keeps refresh tokens in a file that only the user may read, as `az` does on Linux, so that a command of tomorrow asks nobody. The key
 * rings of @azure/identity-cache-persistence need native modules and a desktop session; servers and containers have neither.
 */
export function keepTokensIn(folder: string): void {
  useIdentityPlugin((context) => {
    // The context's type is internal to @azure/identity; its own plugin packages cast it in the same way.
    const { cachePluginControl } = context as PluginContext;
    cachePluginControl.setPersistence((options) => Promise.resolve(filePlugin(fileOf(folder, options?.name))));
  });
}

export function forgetTokensIn(folder: string): void {
  for (const file of FILES) removeFile(join(folder, file));
}

function filePlugin(file: string): object {
  return {
    beforeCacheAccess: ({ tokenCache }: CacheContext): Promise<void> => {
      const text = readFileIfThere(file);
      if (text !== undefined) tokenCache.deserialize(text);
      return Promise.resolve();
    },
    afterCacheAccess: ({ tokenCache, cacheHasChanged }: CacheContext): Promise<void> => {
      if (cacheHasChanged) writePrivateFile(file, tokenCache.serialize());
      return Promise.resolve();
    },
  };
}
