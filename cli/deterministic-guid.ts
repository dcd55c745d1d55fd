import { createHash } from "node:crypto";

/** The namespace of ARM's template function `guid()`, which makes names of version 5 (RFC 9562). */
const ARM_NAMESPACE = Buffer.from("11fb06fb712d4ddd98c7e71bbd588830", "hex");

/** The same texts give the same GUID, and the one that `guid(...)` gives in a template: assigning twice is assigning once. */
export function guidOf(...texts: readonly string[]): string {
  const hash = createHash("sha1").update(ARM_NAMESPACE).update(texts.join("-")).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
