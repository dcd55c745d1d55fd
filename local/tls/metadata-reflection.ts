/**
 * @peculiar/x509 registers its algorithms through tsyringe, which refuses to load unless `Reflect` knows metadata.
 * These three functions are all that it calls; a full polyfill that is already there is left alone.
 */
type MetadataKey = string | symbol;

interface MetadataReflection {
  getMetadata?: (key: MetadataKey, target: object) => unknown;
  getOwnMetadata?: (key: MetadataKey, target: object) => unknown;
  defineMetadata?: (key: MetadataKey, value: unknown, target: object) => void;
}

const reflection = Reflect as MetadataReflection; // the standard one has none of these
const metadata = new WeakMap<object, Map<MetadataKey, unknown>>();

const getOwnMetadata = (key: MetadataKey, target: object): unknown => metadata.get(target)?.get(key);

const getMetadata = (key: MetadataKey, target: object): unknown => {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at) as object | null) {
    const own = metadata.get(at);
    if (own?.has(key)) return own.get(key);
  }
  return undefined;
};

const defineMetadata = (key: MetadataKey, value: unknown, target: object): void => {
  const own = metadata.get(target) ?? new Map<MetadataKey, unknown>();
  own.set(key, value);
  metadata.set(target, own);
};

reflection.getMetadata ??= getMetadata;
reflection.getOwnMetadata ??= getOwnMetadata;
reflection.defineMetadata ??= defineMetadata;
