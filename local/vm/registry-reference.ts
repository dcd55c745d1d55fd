/** An image in a registry that this stand-in really asks. */
export interface RegistryReference {
  /** `localhost:5000`. */
  readonly host: string;
  readonly repository: string;
  /** A tag, or a digest, which wins where both are given. */
  readonly reference: string;
}

/**
 * The registries of the embedded Azure are ports of this computer, as their login servers say. All others stand for the rest of the world:
 * nothing is ever pulled from them, and their images are simply there.
 */
export const isLocalRegistry = (host: string): boolean => /^(localhost|127\.0\.0\.1):\d+$/.test(host);

/** Undefined for an image of the rest of the world. */
export function localReferenceOf(image: string): RegistryReference | undefined {
  const slash = image.indexOf("/");
  const host = image.slice(0, Math.max(0, slash));
  if (!isLocalRegistry(host)) return undefined;
  const [named = "", digest] = image.slice(slash + 1).split("@");
  const colon = named.lastIndexOf(":");
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? "latest" : named.slice(colon + 1);
  return { host, repository, reference: digest ?? tag };
}
