import type { WireReply } from "../azure/http/wire";
import { KEY_OPERATIONS, type KeyOperation, useKey } from "./key-operations";
import { createKey, getKey, importKey, keyView, rotateKey, updateKey } from "./keys";
import {
  backupObject,
  deleteObject,
  getDeleted,
  listDeleted,
  listObjects,
  listVersions,
  type ObjectView,
  purgeObject,
  recoverObject,
  restoreObject,
} from "./object-lifecycle";
import { deletedSecretView, getSecret, secretView, setSecret, updateSecret } from "./secrets";
import { methodNotAllowed, type ObjectKind, pathNotFound } from "./vault-error";
import type { VaultRequest } from "./vault-request";

/** What a request wants, and which right it needs for that. */
export interface VaultRoute {
  /** For the fault plan: `get secret`, `unwrapKey key`. */
  readonly operation: string;
  readonly kind: ObjectKind;
  readonly name: string;
  readonly version: string | undefined;
  /** Any one of these data actions is enough. */
  readonly actions: readonly string[];
  /** The word of access policies. */
  readonly permission: string;
  /** Making secrets and keys is scarcer than all else. */
  readonly isCreate: boolean;
  readonly handle: (request: VaultRequest) => WireReply | Promise<WireReply>;
}

interface Rule {
  readonly operation: string;
  readonly actions: readonly string[];
  readonly permission: string;
  readonly isCreate?: boolean;
  readonly handle: VaultRoute["handle"];
}

const VAULTS = "Microsoft.KeyVault/vaults";

const rule = (
  operation: string,
  [action, permission]: readonly [string | readonly string[], string],
  handle: VaultRoute["handle"],
): Rule => ({ operation, actions: [action].flat(), permission, handle });

/** By method and by what stands behind the collection: `n` a name, `v` a version. */
function lifecycleRules(kind: ObjectKind, view: ObjectView, deletedView: ObjectView): Record<string, Rule> {
  const read = kind === "secret" ? "readMetadata/action" : "read";
  return {
    "GET live": rule("list", [read, "list"], (request) => listObjects(request, view)),
    "GET live n versions": rule("list versions of", [read, "list"], (request) => listVersions(request, view)),
    "DELETE live n": rule("delete", ["delete", "delete"], (request) => deleteObject(request, deletedView)),
    "POST live n backup": rule("backup", ["backup/action", "backup"], backupObject),
    "POST live restore": rule("restore", ["restore/action", "restore"], (request) =>
      restoreObject(request, deletedView),
    ),
    "GET deleted": rule("list deleted", [read, "list"], (request) => listDeleted(request, view)),
    "GET deleted n": rule("get deleted", [read, "get"], (request) => getDeleted(request, deletedView)),
    "DELETE deleted n": rule("purge", ["purge/action", "purge"], purgeObject),
    "POST deleted n recover": rule("recover", ["recover/action", "recover"], (request) =>
      recoverObject(request, deletedView),
    ),
  };
}

const RULES: Readonly<Record<ObjectKind, Readonly<Record<string, Rule>>>> = {
  secret: {
    ...lifecycleRules("secret", secretView, deletedSecretView),
    "PUT live n": { ...rule("set", ["setSecret/action", "set"], setSecret), isCreate: true },
    "GET live n": rule("get", ["getSecret/action", "get"], getSecret),
    "GET live n v": rule("get", ["getSecret/action", "get"], getSecret),
    "PATCH live n": rule("update", ["update/action", "set"], updateSecret),
    "PATCH live n v": rule("update", ["update/action", "set"], updateSecret),
  },
  key: {
    ...lifecycleRules("key", keyView, keyView),
    "POST live n create": { ...rule("create", ["create/action", "create"], createKey), isCreate: true },
    "PUT live n": { ...rule("import", ["import/action", "import"], importKey), isCreate: true },
    "POST live n rotate": { ...rule("rotate", ["rotate/action", "rotate"], rotateKey), isCreate: true },
    "GET live n": rule("get", ["read", "get"], getKey),
    "GET live n v": rule("get", ["read", "get"], getKey),
    "PATCH live n": rule("update", ["update/action", "update"], updateKey),
    "PATCH live n v": rule("update", ["update/action", "update"], updateKey),
  },
};

const COLLECTIONS = new Map<string, readonly [ObjectKind, "live" | "deleted"]>([
  ["secrets", ["secret", "live"]],
  ["deletedsecrets", ["secret", "deleted"]],
  ["keys", ["key", "live"]],
  ["deletedkeys", ["key", "deleted"]],
]);

/** Words that stand where a name or a version could; a version has 32 hexadecimal digits. */
const WORDS = ["versions", "backup", "create", "rotate", "recover"];

export function findVaultRoute(method: string, path: string): VaultRoute {
  const [collection = "", ...rest] = segmentsOf(path);
  const [kind, state] = COLLECTIONS.get(collection.toLowerCase()) ?? [];
  if (!kind || !state || rest.length > 3) throw pathNotFound();
  const [name = "", second, third] = rest;
  const use = KEY_OPERATIONS.get((third ?? second ?? "").toLowerCase());
  if (kind === "key" && state === "live" && use) {
    if (method !== "POST") throw methodNotAllowed(method);
    return keyUse({ name, version: third === undefined ? undefined : second, use });
  }
  if (third !== undefined) throw pathNotFound();
  const shape = shapeOf({ state, name, second, isPost: method === "POST" });
  const rules = RULES[kind];
  const found = Object.hasOwn(rules, `${method} ${shape}`) ? rules[`${method} ${shape}`] : undefined;
  if (!found) {
    if (Object.keys(rules).some((key) => key.slice(key.indexOf(" ") + 1) === shape)) throw methodNotAllowed(method);
    throw pathNotFound();
  }
  return {
    ...found,
    operation: `${found.operation} ${kind}`,
    kind,
    name: shape.endsWith("restore") ? "" : name,
    version: shape.endsWith(" v") ? second : undefined,
    actions: found.actions.map((action) => `${VAULTS}/${kind}s/${action}`),
    isCreate: found.isCreate ?? false,
  };
}

function shapeOf({
  state,
  name,
  second,
  isPost,
}: {
  state: string;
  name: string;
  second: string | undefined;
  isPost: boolean;
}): string {
  if (name === "") return state;
  if (isPost && name.toLowerCase() === "restore" && second === undefined) return `${state} restore`;
  if (second === undefined) return `${state} n`;
  return WORDS.includes(second.toLowerCase()) ? `${state} n ${second.toLowerCase()}` : `${state} n v`;
}

/** What needs the public half alone may be done by whoever may read the key: so say the descriptions of Azure's data actions. */
function keyUse({ name, version, use }: { name: string; version: string | undefined; use: KeyOperation }): VaultRoute {
  const action = `${VAULTS}/keys/${use.replace("Key", "")}/action`;
  const isPublic = use === "encrypt" || use === "verify" || use === "wrapKey";
  return {
    operation: `${use} key`,
    kind: "key",
    name,
    version,
    actions: isPublic ? [action, `${VAULTS}/keys/read`] : [action],
    permission: use,
    isCreate: false,
    handle: (request) => useKey(request, use),
  };
}

function segmentsOf(path: string): string[] {
  try {
    return path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    // A broken percent sequence names nothing.
    throw pathNotFound();
  }
}
