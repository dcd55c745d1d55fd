/** A lock token is a GUID, here as 32 hexadecimal digits in the order in which GUIDs are written. */
export function tokenOfUuid(uuid: Buffer): string {
  return uuid.toString("hex");
}

export function uuidOfToken(token: string): Buffer {
  return Buffer.from(token, "hex");
}

/** Delivery tags carry the GUID as .NET lays it out: the first three groups with the least significant byte first. */
export function tagOfToken(token: string): Buffer {
  return swapGroups(uuidOfToken(token));
}

export function tokenOfTag(tag: Buffer | string): string {
  return tokenOfUuid(swapGroups(Buffer.from(tag)));
}

function swapGroups(guid: Buffer): Buffer {
  guid.subarray(0, 4).reverse();
  guid.subarray(4, 6).reverse();
  guid.subarray(6, 8).reverse();
  return guid;
}
