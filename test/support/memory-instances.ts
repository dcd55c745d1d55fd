import type { InstanceClient, OrchestrationName } from "../../src/domain/instances";

/** Remembers what was started and raised. An instance that was started is there until the test ends it. */
export class MemoryInstances implements InstanceClient {
  readonly started: {
    readonly orchestration: OrchestrationName;
    readonly instanceId: string;
    readonly input: object;
  }[] = [];
  readonly raised: string[] = [];
  private readonly running = new Set<string>();

  startOnce(orchestration: OrchestrationName, instanceId: string, input: object): Promise<void> {
    if (!this.running.has(instanceId)) this.started.push({ orchestration, instanceId, input });
    this.running.add(instanceId);
    return Promise.resolve();
  }

  raise(instanceId: string, _eventName: string): Promise<boolean> {
    if (!this.running.has(instanceId)) return Promise.resolve(false);
    this.raised.push(instanceId);
    return Promise.resolve(true);
  }

  /** Ids of what was started or told that something changed, each once. */
  get woken(): string[] {
    return [...new Set([...this.started.map(({ instanceId }) => instanceId), ...this.raised])].sort();
  }
}
