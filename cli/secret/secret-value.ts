import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { CommandCall } from "../command";
import { messageOf, usage } from "../cli-error";

/** https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: 25 KB. */
const MAX_SECRET_BYTES = 25_600;

/**
 * The value, from a file as it is or from stdin without its last line's end; never from the command line, which every user of the
 * computer can see. Checked here, so that nothing too long or unreadable leaves this computer.
 */
export async function secretValueOf(call: CommandCall): Promise<string> {
  const file = call.text("file");
  if (file !== undefined) return checked(await readBytes(createReadStream(file), `--file ${file}`));
  if (call.io.stdin.isTTY === true)
    throw usage("the value is read from stdin: pipe it in, or name a file that holds it with --file");
  return checked(withoutLineEnd(await readBytes(call.io.stdin, "stdin")));
}

async function readBytes(stream: Readable, source: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer | string>) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      chunks.push(bytes);
      // One line's end more may come from stdin; whatever is beyond is too long in any case.
      if (length > MAX_SECRET_BYTES + 2) break;
    }
  } catch (error) {
    throw usage(`${source} cannot be read: ${messageOf(error)}`);
  }
  return Buffer.concat(chunks);
}

function withoutLineEnd(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  return bytes.subarray(0, text.length - (/\r?\n$/.exec(text)?.[0].length ?? 0));
}

function checked(bytes: Buffer): string {
  if (bytes.length === 0) throw usage("the value is empty");
  if (bytes.length > MAX_SECRET_BYTES)
    throw usage(`the value has more than ${MAX_SECRET_BYTES} bytes, nothing was sent`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage("the value is no UTF-8 text: encode it, for example as base64");
  }
}
