import type { CloudFacts } from "./cloud-facts";
import { LOCATIONS } from "./constants";
import type { JsonClient } from "./http-client";

/** Cores by row of the usages API. */
export type Quota = Readonly<Record<string, number>>;

/** Azure gives a new subscription no GPU cores; the demo's has some, as after a support request. */
export const DEMO_QUOTA: Quota = { cores: 100, lowPriorityCores: 16, StandardNCASv3_T4Family: 16 };

export async function setQuota(
  http: JsonClient,
  { portalUrl }: Pick<CloudFacts, "portalUrl">,
  quota: Quota,
): Promise<void> {
  for (const [name, limit] of Object.entries(quota)) {
    await http.expect({ method: "PUT", url: `${portalUrl}/quota`, json: { location: LOCATIONS[0], name, limit } });
  }
}
