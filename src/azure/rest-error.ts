/** What Azure answered when it refused. */
export interface AzureRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/**
 * The refusal in an SDK's error; undefined for anything else, such as a broken connection. Told by name: each SDK may bring its own
 * copy of core-rest-pipeline, and then `instanceof` would say no.
 */
export function refusalOf(error: unknown): AzureRefusal | undefined {
  if (!(error instanceof Error) || error.name !== "RestError") return undefined;
  const { statusCode, code } = error as Error & { statusCode?: unknown; code?: unknown };
  if (typeof statusCode !== "number") return undefined;
  return { status: statusCode, code: typeof code === "string" ? code : "", message: error.message };
}
