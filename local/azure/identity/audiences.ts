/** Microsoft's own APIs. Their access tokens are version 1, issued by `https://sts.windows.net/<tenant>/`. */
const FIRST_PARTY = [
  "https://management.azure.com",
  "https://management.core.windows.net",
  "https://storage.azure.com",
  "https://vault.azure.net",
  "https://servicebus.azure.net",
  "https://eventgrid.azure.net",
  "https://graph.microsoft.com",
  "https://monitor.azure.com",
  "https://containerregistry.azure.net",
  "https://durabletask.io",
];

const STORAGE_ACCOUNT = /^https:\/\/[a-z0-9]{3,24}\.(blob|table|queue|file)\.core\.windows\.net\/?$/i;

/** ARM takes tokens for any of these. */
export const ARM_AUDIENCES = [
  "https://management.core.windows.net/",
  "https://management.core.windows.net",
  "https://management.azure.com/",
  "https://management.azure.com",
] as const;

/** Custom topics of Event Grid take tokens for this. */
export const EVENT_GRID_AUDIENCES = ["https://eventgrid.azure.net", "https://eventgrid.azure.net/"] as const;

/** The data plane of storage takes tokens for any account. */
export const STORAGE_AUDIENCES = ["https://storage.azure.com/", "https://storage.azure.com"] as const;

export function isFirstPartyAudience(audience: string): boolean {
  return FIRST_PARTY.includes(audience.toLowerCase().replace(/\/$/, "")) || STORAGE_ACCOUNT.test(audience);
}
