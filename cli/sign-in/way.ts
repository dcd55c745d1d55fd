/** The ways to sign in that `--sign-in` names. */
export const WAYS = ["browser", "device-code", "service-principal", "azure-cli", "managed-identity"] as const;
export type Way = (typeof WAYS)[number];

/** Ways in which a person signs in once, and tokens are renewed from what is kept of that. */
export const isInteractive = (way: Way): way is "browser" | "device-code" => way === "browser" || way === "device-code";

export const isWay = (text: string): text is Way => (WAYS as readonly string[]).includes(text);
