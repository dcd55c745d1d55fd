import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { waitMsOf } from "./backoff";

export interface BlobOptions {
  readonly token: (resource: string, fresh: boolean) => Promise<string>;
  readonly retryBaseMs: number;
}

export interface ListedBlob {
  readonly name: string;
  readonly bytes: number;
}

/** A container's blobs over Azure's REST interface: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api */
export interface BlobContainer {
  list(signal: AbortSignal): Promise<ListedBlob[]>;
  download(name: string, path: string, signal: AbortSignal): Promise<void>;
  upload(name: string, file: { readonly path: string; readonly bytes: number }, signal: AbortSignal): Promise<void>;
}

interface BlobRequest {
  readonly method: "GET" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
  /** A new stream for each try. */
  readonly content?: () => NodeJS.ReadableStream | string;
  readonly onAnswer?: (response: http.IncomingMessage) => Promise<void>;
}

const RESOURCE = "https://storage.azure.com";
const TRIES = 4;
const SILENCE_LIMIT_MS = 60_000;
/** Larger files go in blocks, so that a broken connection costs one block. Azure takes 50 000 of them. */
const BLOCK_BYTES = 64 * 1024 * 1024;

export function openContainer(containerUrl: string, options: BlobOptions): BlobContainer {
  const base = containerUrl.replace(/\/+$/, "");
  const urlOf = (name: string): string => `${base}/${name.split("/").map(encodeURIComponent).join("/")}`;
  const send = (request: BlobRequest): Promise<string> => sendWithRetries(request, options);
  return {
    list: async (signal) => {
      const found: ListedBlob[] = [];
      let marker = "";
      do {
        const url = `${base}?restype=container&comp=list&marker=${encodeURIComponent(marker)}`;
        const page = await send({ method: "GET", url, signal });
        found.push(...blobsOf(page));
        marker = unescapeXml(/<NextMarker>([^<]+)<\/NextMarker>/.exec(page)?.[1] ?? "");
      } while (marker);
      return found;
    },
    download: async (name, path, signal) => {
      mkdirSync(dirname(path), { recursive: true });
      await send({
        method: "GET",
        url: urlOf(name),
        signal,
        onAnswer: (response) => pipeline(response, createWriteStream(path)),
      });
    },
    upload: async (name, file, signal) => {
      const url = urlOf(name);
      if (file.bytes <= BLOCK_BYTES) {
        const headers = { "x-ms-blob-type": "BlockBlob", "content-length": file.bytes };
        const content = (): NodeJS.ReadableStream | string =>
          file.bytes === 0 ? "" : createReadStream(file.path, { end: file.bytes - 1 });
        await send({ method: "PUT", url, headers, signal, content });
        return;
      }
      const blocks: string[] = [];
      for (let start = 0; start < file.bytes; start += BLOCK_BYTES) {
        const end = Math.min(start + BLOCK_BYTES, file.bytes) - 1;
        const id = Buffer.from(String(blocks.length).padStart(6, "0")).toString("base64");
        const headers = { "content-length": end - start + 1 };
        const content = (): NodeJS.ReadableStream => createReadStream(file.path, { start, end });
        await send({
          method: "PUT",
          url: `${url}?comp=block&blockid=${encodeURIComponent(id)}`,
          headers,
          signal,
          content,
        });
        blocks.push(id);
      }
      const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
      const headers = { "content-length": Buffer.byteLength(list) };
      await send({ method: "PUT", url: `${url}?comp=blocklist`, headers, signal, content: () => list });
    },
  };
}

async function sendWithRetries(request: BlobRequest, { token, retryBaseMs }: BlobOptions): Promise<string> {
  let fresh = false;
  for (let failures = 0; ; failures += 1) {
    let reason: string;
    let passing = true;
    try {
      const answer = await sendOnce(request, await token(RESOURCE, fresh));
      if (answer.status < 300) return answer.text;
      const { status } = answer;
      reason = `the storage account answered ${status} ${/<Code>(\w+)<\/Code>/.exec(answer.text)?.[1] ?? ""}`;
      // A role that was just assigned takes minutes to be seen, hence 403 may pass as well.
      passing = status >= 500 || status === 429 || status === 408 || status === 401 || status === 403;
      fresh = status === 401;
    } catch (error) {
      if (request.signal.aborted) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    if (!passing || failures + 1 >= TRIES)
      throw new Error(`${request.method} ${new URL(request.url).pathname}: ${reason}`);
    await sleep(waitMsOf({ failures: failures + 1, baseMs: retryBaseMs }, Math.random), undefined, {
      signal: request.signal,
    });
  }
}

async function sendOnce(
  request: BlobRequest,
  token: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { method, url, headers, signal, content, onAnswer } = request;
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const outgoing = (url.startsWith("https:") ? https : http).request(url, {
    method,
    signal,
    headers: {
      ...headers,
      authorization: `Bearer ${token}`,
      "x-ms-version": "2021-12-02",
      "x-ms-date": new Date().toUTCString(),
      "x-ms-client-request-id": randomUUID(),
    },
  });
  outgoing.once("response", resolve);
  outgoing.once("error", reject);
  outgoing.setTimeout(SILENCE_LIMIT_MS, () => outgoing.destroy(new Error("the connection was silent for too long")));
  const source = content?.();
  if (typeof source === "object") await Promise.race([pipeline(source, outgoing), promise]);
  else outgoing.end(source);
  const response = await promise;
  const status = response.statusCode ?? 0;
  if (status < 300 && onAnswer) {
    await onAnswer(response);
    return { status, text: "" };
  }
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status, text };
}

export function blobsOf(page: string): ListedBlob[] {
  return [...page.matchAll(/<Blob>.*?<\/Blob>/gs)].flatMap(([blob]) => {
    const name = unescapeXml(/<Name>([^<]*)<\/Name>/.exec(blob)?.[1] ?? "");
    const bytes = Number(/<Content-Length>(\d+)<\/Content-Length>/.exec(blob)?.[1] ?? 0);
    // Accounts with a hierarchical namespace list folders too.
    return name === "" || name.endsWith("/") || /<ResourceType>directory</.test(blob) ? [] : [{ name, bytes }];
  });
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(#x?)?(\w+);/gi, (whole: string, number: string | undefined, name: string) => {
    if (!number) return named[name] ?? whole;
    return String.fromCodePoint(parseInt(name, number.length > 1 ? 16 : 10));
  });
}
