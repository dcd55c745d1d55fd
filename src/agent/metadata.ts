/** Azure's metadata service as this VM sees it. */
export interface Metadata {
  instance(): Promise<{ readonly vmId: string; readonly name: string }>;
  /** A token of the machine's identity; `fresh` asks again although the last one seems good. */
  token(resource: string, fresh: boolean): Promise<string>;
  /** True once Scheduled Events announce that this VM will be preempted. */
  preempted(vmName: string): Promise<boolean>;
}

interface CachedToken {
  readonly value: string;
  readonly goodUntil: number;
}

const EARLY_MS = 5 * 60_000;
const TOKEN_LIMIT_MS = 30_000;
/** The first call turns the service on for the VM and may take two minutes. */
const EVENTS_LIMIT_MS = 150_000;

export function createMetadata(metadataUrl: string): Metadata {
  const tokens = new Map<string, CachedToken>();
  return {
    instance: async () => {
      const body = await get(`${metadataUrl}/metadata/instance?api-version=2021-02-01`, TOKEN_LIMIT_MS);
      const compute = body["compute"] as { readonly vmId?: string; readonly name?: string } | undefined;
      if (!compute?.vmId || !compute.name) throw new Error("the metadata service told no vmId");
      return { vmId: compute.vmId, name: compute.name };
    },
    token: async (resource, fresh) => {
      const cached = tokens.get(resource);
      if (cached && !fresh && Date.now() < cached.goodUntil) return cached.value;
      const query = `api-version=2018-02-01&resource=${encodeURIComponent(resource)}`;
      const body = await get(`${metadataUrl}/metadata/identity/oauth2/token?${query}`, TOKEN_LIMIT_MS);
      const value = body["access_token"];
      if (typeof value !== "string") throw new Error("the metadata service gave no token");
      tokens.set(resource, { value, goodUntil: Number(body["expires_on"]) * 1000 - EARLY_MS });
      return value;
    },
    preempted: async (vmName) => {
      const body = await get(`${metadataUrl}/metadata/scheduledevents?api-version=2020-07-01`, EVENTS_LIMIT_MS);
      const events = (body["Events"] ?? []) as readonly {
        readonly EventType: string;
        readonly Resources: readonly string[];
      }[];
      return events.some(({ EventType, Resources }) => EventType === "Preempt" && Resources.includes(vmName));
    },
  };
}

async function get(url: string, limitMs: number): Promise<Record<string, unknown>> {
  const response = await fetch(url, { headers: { Metadata: "true" }, signal: AbortSignal.timeout(limitMs) });
  const text = await response.text();
  const path = new URL(url).pathname;
  if (!response.ok)
    throw new Error(`GET ${path}: the metadata service answered ${response.status}: ${text.slice(0, 200)}`);
  return JSON.parse(text) as Record<string, unknown>;
}
