import type { TypedData } from "./rpc";

export interface OutputElement {
  readonly bytes: Uint8Array;
  readonly contentType: "text/plain" | "application/json" | "application/octet-stream";
}

/** A value for a queue or topic in its parts: each element of an array is a message, anything else is one. */
export function elementsOf(data: TypedData): readonly OutputElement[] {
  const { json, string, bytes, int, double } = data;
  if (bytes) return [{ bytes, contentType: "application/octet-stream" }];
  if (json === undefined) return [textElement(string ?? String(int ?? double ?? ""))];
  const value: unknown = JSON.parse(json);
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => each !== null).map(elementOf);
}

function elementOf(value: unknown): OutputElement {
  if (typeof value === "string") return textElement(value);
  // A Buffer inside an array comes as what JSON makes of it.
  const bytes = bufferOf(value);
  if (bytes) return { bytes, contentType: "application/octet-stream" };
  return { bytes: Buffer.from(JSON.stringify(value)), contentType: "application/json" };
}

function textElement(text: string): OutputElement {
  return { bytes: Buffer.from(text), contentType: "text/plain" };
}

function bufferOf(value: unknown): Buffer | undefined {
  if (typeof value !== "object" || value === null || !("type" in value) || !("data" in value)) return undefined;
  const { type, data } = value;
  return type === "Buffer" && Array.isArray(data) ? Buffer.from(data as number[]) : undefined;
}
