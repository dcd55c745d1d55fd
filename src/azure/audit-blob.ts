import { type ContainerClient, RestError } from "@azure/storage-blob";
import type { AuditEntry } from "../contract/audit";

/** An append blob takes 50,000 blocks: https://learn.microsoft.com/rest/api/storageservices/append-block */
const FULL = new Set(["BlockCountExceedsLimit", "MaxBlobSizeConditionNotMet"]);
const MAX_PARTS = 20;

/**
 * The audit as lines of JSON in append blobs, one for each hour. It needs no right but to add: on a container that keeps what was written
 * (an immutability policy with protected append writes) nobody can change a line. A line that is sent again stands there twice, with one id.
 */
export class AuditBlob {
  /** Blobs that this instance has made sure of. */
  private readonly known = new Set<string>();

  constructor(private readonly container: ContainerClient) {}

  async append(entry: AuditEntry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    for (let part = 0; part < MAX_PARTS; part += 1) {
      const name = nameOf(entry.at, part);
      try {
        await this.ensure(name);
        await this.container.getAppendBlobClient(name).appendBlock(line, Buffer.byteLength(line));
        return;
      } catch (error) {
        if (!(error instanceof RestError) || !FULL.has(error.code ?? "")) throw error;
      }
    }
    throw new Error(`the audit's blobs of ${entry.at.slice(0, 13)} are full`);
  }

  private async ensure(name: string): Promise<void> {
    if (this.known.has(name)) return;
    try {
      await this.container.getAppendBlobClient(name).create({ conditions: { ifNoneMatch: "*" } });
    } catch (error) {
      const isThere = error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412);
      if (!isThere) throw error;
    }
    if (this.known.size > 100) this.known.clear();
    this.known.add(name);
  }
}

/** `2030/12/31/23.jsonl`, then `23-1.jsonl`. */
function nameOf(at: string, part: number): string {
  const [day = "", time = ""] = at.split("T");
  return `${day.replaceAll("-", "/")}/${time.slice(0, 2)}${part === 0 ? "" : `-${part}`}.jsonl`;
}
