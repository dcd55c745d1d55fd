import { rmSync } from "node:fs";
import { join } from "node:path";
import { BlobFiles } from "./blob-files";
import type { RegistryFacts } from "./registry-request";
import { type RegistryServer, type RegistryServerOptions, startRegistryServer } from "./registry-server";
import { RegistryStore } from "./registry-store";
import { RegistryTokens } from "./registry-tokens";

export interface RegistryPlaneOptions extends Pick<
  RegistryServerOptions,
  "tls" | "identify" | "allows" | "faults" | "log"
> {
  /** Holds `registries.sqlite`, and the blobs in a folder beside it. */
  readonly folder: string;
  /** What ARM knows of a registry; undefined once it is gone. */
  readonly describe: (instance: string) => Omit<RegistryFacts, "loginServer" | "instance"> | undefined;
}

/**
 * The data planes of all registries. Each has a port of its own, kept over restarts, as each registry has a host of its own in Azure:
 * `localhost:<port>` is its login server, which Docker takes for a registry too.
 */
export class RegistryPlane {
  private readonly store: RegistryStore;
  private readonly tokens: RegistryTokens;
  private readonly servers = new Map<string, RegistryServer>();
  private readonly closing = new Set<Promise<void>>();

  constructor(private readonly options: RegistryPlaneOptions) {
    this.store = new RegistryStore(options.folder);
    this.tokens = new RegistryTokens(options.folder);
  }

  loginServerOf(instance: string): string {
    const port = this.store.portOf(instance);
    return port === undefined ? "" : `localhost:${port}`;
  }

  async open(instance: string): Promise<void> {
    if (this.servers.has(instance)) return;
    const server = await this.listen(instance, this.store.portOf(instance) ?? 0);
    this.servers.set(instance, server);
    this.store.keepPort(instance, server.port);
  }

  /** A registry that is deleted is gone with its images, at once: Azure keeps none. */
  purgeSoon(instance: string): void {
    const purged = this.purge(instance).catch((error: unknown) => this.options.log(`registry: ${String(error)}`));
    this.closing.add(purged);
    void purged.finally(() => this.closing.delete(purged));
  }

  async shutdown(): Promise<void> {
    await Promise.all([...[...this.servers.values()].map((server) => server.close()), ...this.closing]);
    this.store.close();
  }

  private async purge(instance: string): Promise<void> {
    const server = this.servers.get(instance);
    this.servers.delete(instance);
    await server?.close();
    this.store.purgeRegistry(instance);
    rmSync(this.folderOf(instance), { recursive: true, force: true });
  }

  private folderOf(instance: string): string {
    return join(this.options.folder, "registries", instance);
  }

  private async listen(instance: string, port: number): Promise<RegistryServer> {
    const { describe, folder: _folder, ...options } = this.options;
    const registry = (): RegistryFacts => {
      const described = describe(instance);
      if (!described) throw new Error(`The registry ${instance} is served, and ARM does not know it.`);
      return { ...described, instance, loginServer: this.loginServerOf(instance) };
    };
    const files = new BlobFiles(this.folderOf(instance));
    const parts = { ...options, registry, files, store: this.store, tokens: this.tokens };
    try {
      return await startRegistryServer({ ...parts, port });
    } catch (error) {
      if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      options.log(
        `registry ${registry().name}: port ${port} of its last start is in use; it gets another one, and a new login server`,
      );
      return startRegistryServer({ ...parts, port: 0 });
    }
  }
}
