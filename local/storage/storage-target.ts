import type { StorageService } from "./azurite-servers";

/** What a request is about. Addresses are path-style, as a computer without DNS of its own needs them: /account/container/blob. */
export interface StorageTarget {
  readonly account: string;
  /** Container, queue or table; empty for the service itself. */
  readonly container: string;
  /** Blob, or what stands behind a queue. */
  readonly item: string;
  /** As it came, percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Undefined for an address that cannot be read. */
export function targetOf(service: StorageService, url: string): StorageTarget | undefined {
  try {
    const { pathname, searchParams } = new URL(url.replace(/^\/+/, "/"), "https://storage");
    const [, account = "", ...rest] = pathname.split("/");
    const whole = rest.map(decodeURIComponent).join("/");
    const parts = service === "table" ? tableParts(whole) : whole.split("/");
    const [container = "", ...item] = parts;
    return { account, container, item: item.join("/"), path: pathname, query: searchParams };
  } catch {
    // A broken percent sequence, or no URL at all.
    return undefined;
  }
}

/** `Jobs(PartitionKey='a/b',RowKey='c')` and `Tables('Jobs')`: keys may have slashes. */
function tableParts(whole: string): string[] {
  const at = whole.indexOf("(");
  return at < 0 ? [whole] : [whole.slice(0, at), whole.slice(at)];
}
