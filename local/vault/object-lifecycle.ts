import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { WireReply } from "../azure/http/wire";
import {
  badParameter,
  deletedNotFound,
  nameIsDeleted,
  nameIsTaken,
  objectNotFound,
  purgeProtected,
  type ObjectKind,
} from "./vault-error";
import { bodyOf, callerText, keyOf, requireName, type VaultRequest } from "./vault-request";
import type { Attributes, Deletion, StoredVersion } from "./vault-store";

/** What secrets and keys have in common: lists, deletion, recovery, purge, backup. */
export interface ObjectView {
  /** As a GET answers it. */
  readonly bundle: (request: VaultRequest, name: string, version: StoredVersion) => Record<string, unknown>;
  /** As it stands in lists. */
  readonly item: (
    request: VaultRequest,
    one: { name: string; version: StoredVersion; isVersioned: boolean },
  ) => Record<string, unknown>;
}

export const AttributesBody = z.looseObject({
  enabled: z.boolean().nullish(),
  nbf: z.number().nullish(),
  exp: z.number().nullish(),
});
export const Tags = z
  .record(z.string().max(256), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= 15, {
    message: "At most 15 tags are allowed.",
  });

const PAGE_SIZE = 25;
const DAY_SECONDS = 24 * 3600;
const MAX_BACKUP_VERSIONS = 500;

export const newVersion = (): string => randomUUID().replaceAll("-", "");

export function newAttributes(given: z.infer<typeof AttributesBody> | undefined, nowSeconds: number): Attributes {
  const { enabled, nbf, exp } = given ?? {};
  checkPeriod({ nbf, exp });
  return {
    enabled: enabled ?? true,
    ...(typeof nbf === "number" ? { nbf } : {}),
    ...(typeof exp === "number" ? { exp } : {}),
    created: nowSeconds,
    updated: nowSeconds,
  };
}

/** What is not given stays as it was. */
export function changedAttributes(
  known: Attributes,
  given: z.infer<typeof AttributesBody> | undefined,
  nowSeconds: number,
): Attributes {
  const nbf = given?.nbf ?? known.nbf;
  const exp = given?.exp ?? known.exp;
  checkPeriod({ nbf, exp });
  return { ...known, enabled: given?.enabled ?? known.enabled, nbf, exp, updated: nowSeconds };
}

function checkPeriod({ nbf, exp }: { nbf?: number | null | undefined; exp?: number | null | undefined }): void {
  if (typeof nbf === "number" && typeof exp === "number" && exp <= nbf)
    throw badParameter("Property attributes.exp has invalid value. It must be later than attributes.nbf.");
}

export const attributesView = ({ vault }: VaultRequest, attributes: Attributes) => ({
  ...attributes,
  recoveryLevel: vault.isPurgeProtected ? "Recoverable" : "Recoverable+Purgeable",
  recoverableDays: vault.retentionDays,
});

/** A name that is deleted and not yet purged cannot be used again. */
export function requireFreeName(request: VaultRequest): void {
  const name = requireName(request.kind, request.name);
  if (request.store.deletionOf(keyOf(request))) throw nameIsDeleted(request.kind, name);
}

export function requireVersion(request: VaultRequest): { readonly name: string; readonly stored: StoredVersion } {
  requireName(request.kind, request.name);
  const stored = request.store.find(keyOf(request), request.version);
  if (stored) return { name: request.store.nameOf(keyOf(request)), stored };
  const version = request.version === undefined ? "" : `/${request.version}`;
  throw objectNotFound(request.kind, `${request.name}${version}`);
}

export function listObjects(request: VaultRequest, { item }: ObjectView): WireReply {
  const { limit, after } = pageOf(request);
  const names = request.store.names(keyOf(request), { after, limit: limit + 1, deleted: false });
  const shown = names.slice(0, limit).flatMap((name) => {
    const version = request.store.find(keyOf(request, name));
    return version ? [item(request, { name, version, isVersioned: false })] : [];
  });
  return page(request, shown, names.length > limit ? names[limit - 1] : undefined);
}

export function listVersions(request: VaultRequest, { item }: ObjectView): WireReply {
  requireName(request.kind, request.name);
  const { limit, after } = pageOf(request);
  if (request.store.deletionOf(keyOf(request))) return page(request, [], undefined);
  const name = request.store.nameOf(keyOf(request));
  const found = request.store.versions(keyOf(request), { after: Number(after) || 0, limit: limit + 1 });
  const shown = found.slice(0, limit);
  const last = found.length > limit ? String(shown.at(-1)?.sequence) : undefined;
  return page(
    request,
    shown.map(({ version }) => item(request, { name, version, isVersioned: true })),
    last,
  );
}

export function listDeleted(request: VaultRequest, { item }: ObjectView): WireReply {
  const { limit, after } = pageOf(request);
  const names = request.store.names(keyOf(request), { after, limit: limit + 1, deleted: true });
  const shown = names.slice(0, limit).flatMap((name) => {
    const found = request.store.findDeleted(keyOf(request, name));
    if (!found) return [];
    const { newest: version, deletion } = found;
    return [{ ...item(request, { name, version, isVersioned: false }), ...deletedView(request, name, deletion) }];
  });
  return page(request, shown, names.length > limit ? names[limit - 1] : undefined);
}

export function deleteObject(request: VaultRequest, { bundle }: ObjectView): WireReply {
  const { name, stored } = requireVersion(request);
  const scheduledPurgeDate = request.nowSeconds + request.vault.retentionDays * DAY_SECONDS;
  const deletion = { deletedDate: request.nowSeconds, scheduledPurgeDate };
  request.store.setDeletion(keyOf(request), deletion);
  return { status: 200, body: { ...bundle(request, name, stored), ...deletedView(request, name, deletion) } };
}

export function getDeleted(request: VaultRequest, { bundle }: ObjectView): WireReply {
  const { name, newest, deletion } = requireDeleted(request);
  return { status: 200, body: { ...bundle(request, name, newest), ...deletedView(request, name, deletion) } };
}

export function recoverObject(request: VaultRequest, { bundle }: ObjectView): WireReply {
  const { name, newest } = requireDeleted(request);
  request.store.setDeletion(keyOf(request), undefined);
  return { status: 200, body: bundle(request, name, newest) };
}

export function purgeObject(request: VaultRequest): WireReply {
  requireDeleted(request);
  if (request.vault.isPurgeProtected) throw purgeProtected(callerText(request.caller), request.vault);
  request.store.purge(keyOf(request));
  return { status: 204 };
}

/** Azure encrypts a backup; here it is only unreadable to the eye, and good for the vaults of this stack. */
export function backupObject(request: VaultRequest): WireReply {
  const { name } = requireVersion(request);
  const versions = request.store
    .versions(keyOf(request), { after: 0, limit: MAX_BACKUP_VERSIONS + 1 })
    .map(({ version }) => version);
  if (versions.length > MAX_BACKUP_VERSIONS)
    throw badParameter(`A backup holds at most ${MAX_BACKUP_VERSIONS} versions of a ${request.kind}.`);
  const text = JSON.stringify({ kind: request.kind, name, versions });
  return { status: 200, body: { value: Buffer.from(text).toString("base64url") } };
}

const Backup = z.object({
  kind: z.string(),
  name: z.string(),
  versions: z.array(z.looseObject({ version: z.string(), material: z.string() })).min(1),
});

export function restoreObject(request: VaultRequest, { bundle }: ObjectView): WireReply {
  const { value } = bodyOf(z.looseObject({ value: z.string() }), request);
  const backup = readBackup(value, request.kind);
  const restored = { ...request, name: backup.name };
  requireFreeName(restored);
  if (request.store.find(keyOf(restored))) throw nameIsTaken(request.kind, backup.name);
  request.store.addVersions(keyOf(restored), backup.versions);
  return { status: 200, body: bundle(restored, backup.name, backup.newest) };
}

function readBackup(value: string, kind: ObjectKind) {
  try {
    const backup = Backup.parse(JSON.parse(Buffer.from(value, "base64url").toString("utf8")));
    // Written by `backupObject`: whoever makes up another one gets what they wrote.
    const versions = backup.versions as unknown as StoredVersion[];
    const newest = versions.at(-1);
    if (backup.kind === kind && newest) return { name: backup.name, versions, newest };
  } catch {
    // Told below, as for a backup of something else.
  }
  throw badParameter(`Backup blob contains invalid or corrupt ${kind} data.`);
}

function requireDeleted(request: VaultRequest) {
  requireName(request.kind, request.name);
  const found = request.store.findDeleted(keyOf(request));
  if (!found) throw deletedNotFound(request.kind, request.name);
  return { ...found, name: request.store.nameOf(keyOf(request)) };
}

const deletedView = ({ vault, kind }: VaultRequest, name: string, deletion: Deletion) => ({
  recoveryId: `${vault.uri}deleted${kind}s/${name}`,
  ...deletion,
});

function pageOf({ wire }: VaultRequest): { readonly limit: number; readonly after: string } {
  const given = wire.query.get("maxresults");
  const limit = given === null ? PAGE_SIZE : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_SIZE)
    throw badParameter(`The value of maxresults is invalid. It must be between 1 and ${PAGE_SIZE}.`);
  return { limit, after: Buffer.from(wire.query.get("$skiptoken") ?? "", "base64url").toString("utf8") };
}

function page(
  { vault, wire }: VaultRequest,
  value: readonly Record<string, unknown>[],
  last: string | undefined,
): WireReply {
  if (last === undefined) return { status: 200, body: { value, nextLink: null } };
  const query = new URLSearchParams({
    "api-version": wire.query.get("api-version") ?? "",
    $skiptoken: Buffer.from(last).toString("base64url"),
    maxresults: wire.query.get("maxresults") ?? String(PAGE_SIZE),
  });
  return { status: 200, body: { value, nextLink: `${vault.uri}${wire.path.slice(1)}?${query.toString()}` } };
}
