import type { TokenAccess } from "./registry-tokens";

export interface RegistryQuestion {
  readonly principalId: string;
  readonly action: string;
  readonly scope: string;
}

/** What Azure's roles grant in a registry without per-repository rights: https://learn.microsoft.com/azure/container-registry/container-registry-roles */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  pull: ["pull/read"],
  push: ["push/write"],
  delete: ["artifacts/delete"],
  metadata_read: ["metadata/read", "pull/read"],
  metadata_write: ["metadata/write", "push/write"],
};

const REGISTRIES = "Microsoft.ContainerRegistry/registries";

export interface AccessParts {
  readonly resourceId: string;
  readonly principalId: string;
  readonly allows: (question: RegistryQuestion) => boolean;
}

/** Rights are looked up when a token is made, and hold as long as it does. */
export function grantedAccess(scopes: readonly string[], parts: AccessParts): TokenAccess[] {
  return scopes.flatMap((scope) => {
    const wanted = parseScope(scope);
    if (!wanted) return [];
    const actions = wanted.actions.filter((action) => isGranted(wanted.type, action, parts));
    return actions.length === 0 ? [] : [{ ...wanted, actions }];
  });
}

/** Has a principal any right here? Who has none gets not even a refresh token. */
export const hasAnyRight = (parts: AccessParts): boolean =>
  Object.keys(RIGHTS).some((action) => isGranted("repository", action, parts));

/** `repository:team/app:pull,push`; undefined for what is no scope. */
export function parseScope(scope: string): TokenAccess | undefined {
  const [, type = "", name = "", actions = ""] = /^(repository|registry):([^:]+):([\w*,]+)$/.exec(scope) ?? [];
  return type === "" ? undefined : { type, name, actions: actions.split(",") };
}

export function permits(access: readonly TokenAccess[], needed: TokenAccess): boolean {
  const held = access.filter(({ type, name }) => type === needed.type && name === needed.name);
  return needed.actions.every((action) => held.some(({ actions }) => actions.includes(action)));
}

function isGranted(type: string, action: string, { resourceId, principalId, allows }: AccessParts): boolean {
  const rights = type === "registry" ? RIGHTS["metadata_read"] : Object.hasOwn(RIGHTS, action) && RIGHTS[action];
  return (rights || []).some((right) => allows({ principalId, action: `${REGISTRIES}/${right}`, scope: resourceId }));
}
