import type { FaultPlan } from "../faults/fault-plan";
import { type Listener, startListener } from "../azure/http/listener";
import { createVaultHandler, type VaultHandlerOptions } from "./vault-handler";
import type { VaultFacts } from "./vault-request";
import { VaultStore } from "./vault-store";
import { VaultThrottle } from "./vault-throttle";

export interface VaultPlaneOptions extends Pick<VaultHandlerOptions, "identify" | "allows" | "tokenAuthority"> {
  /** Holds `vaults.sqlite`. */
  readonly folder: string;
  readonly tls: { readonly key: string; readonly cert: string };
  /** What ARM knows of a vault; undefined once it is gone. */
  readonly describe: (instance: string) => Omit<VaultFacts, "uri" | "instance"> | undefined;
  readonly faults: FaultPlan;
  readonly speed: number;
  readonly isThrottled: boolean;
  readonly log: (line: string) => void;
}

/**
 * The data planes of all vaults. Each has a port of its own, kept over restarts: in Azure a vault is known by its host name, and clients
 * look for `/secrets/<name>` at the root of it; but names below `localhost` do not resolve in Node on Linux.
 */
export class VaultPlane {
  readonly store: VaultStore;
  private readonly throttle: VaultThrottle;
  private readonly listeners = new Map<string, Listener>();
  private readonly closing = new Set<Promise<void>>();

  constructor(private readonly options: VaultPlaneOptions) {
    this.store = new VaultStore(options.folder);
    this.throttle = new VaultThrottle({ speed: options.speed, isEnforced: options.isThrottled });
  }

  /** `https://localhost:<port>/`: a deleted vault has none, as its host name would not resolve. */
  uriOf(instance: string): string {
    const port = this.store.portOf(instance);
    return port === undefined ? "" : `https://localhost:${port}/`;
  }

  factsOf(instance: string): VaultFacts | undefined {
    const described = this.options.describe(instance);
    return described && { ...described, instance, uri: this.uriOf(instance) };
  }

  /** Listens for a vault that was created, recovered, or is there when the cloud starts. */
  async open(instance: string): Promise<void> {
    if (this.listeners.has(instance)) return;
    this.store.purgeDue(instance, Math.floor(Date.now() / 1000));
    const listener = await this.listen(instance, this.store.portOf(instance) ?? 0);
    this.listeners.set(instance, listener);
    this.store.keepPort(instance, listener.port);
  }

  async close(instance: string): Promise<void> {
    const listener = this.listeners.get(instance);
    this.listeners.delete(instance);
    await listener?.close();
  }

  /** For who cannot wait; `shutdown` does. */
  closeSoon(instance: string): void {
    const closed = this.close(instance).catch((error: unknown) => this.options.log(`vault: ${String(error)}`));
    this.closing.add(closed);
    void closed.finally(() => this.closing.delete(closed));
  }

  /** Forgets a vault with all that it held. */
  async purge(instance: string): Promise<void> {
    await this.close(instance);
    this.throttle.forget(instance);
    this.store.purgeVault(instance);
  }

  async shutdown(): Promise<void> {
    await Promise.all([...[...this.listeners.keys()].map((instance) => this.close(instance)), ...this.closing]);
    this.store.close();
  }

  private async listen(instance: string, port: number): Promise<Listener> {
    const { identify, allows, tokenAuthority, faults, tls, log } = this.options;
    const { store, throttle } = this;
    const vault = (): VaultFacts => {
      const facts = this.factsOf(instance);
      if (!facts) throw new Error(`The vault ${instance} is served, and ARM does not know it.`);
      return facts;
    };
    const handle = createVaultHandler({ vault, store, throttle, identify, allows, tokenAuthority, faults });
    try {
      return await startListener({ port, tls, handle, log });
    } catch (error) {
      if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      log(`vault ${vault().name}: port ${port} of its last start is in use; it gets another one, and a new vaultUri`);
      return startListener({ port: 0, tls, handle, log });
    }
  }
}
