/** `@name@key`: the instance id of an entity. The name is in lower case, the key is as the app wrote it. */
export function entityIdOf(name: string, key: string): string {
  return `@${name.toLowerCase()}@${key}`;
}

export function entityNameOf(id: string): string {
  return id.slice(1, splitAt(id));
}

export function entityKeyOf(id: string): string {
  return id.slice(splitAt(id) + 1);
}

function splitAt(id: string): number {
  const at = id.indexOf("@", 1);
  return at < 0 ? id.length : at;
}
