import { z } from "zod";
import type { WireReply } from "../azure/http/wire";
import {
  AttributesBody,
  attributesView,
  changedAttributes,
  newAttributes,
  newVersion,
  type ObjectView,
  requireFreeName,
  requireVersion,
  Tags,
} from "./object-lifecycle";
import { badParameter, objectDisabled } from "./vault-error";
import { bodyOf, idOf, keyOf, type VaultRequest } from "./vault-request";
import type { StoredVersion } from "./vault-store";

const ContentType = z.string().max(255).nullish();
const SecretBody = z.looseObject({
  value: z.string(),
  contentType: ContentType,
  attributes: AttributesBody.nullish(),
  tags: Tags.nullish(),
});
const UpdateBody = z.looseObject({
  contentType: ContentType,
  attributes: AttributesBody.nullish(),
  tags: Tags.nullish(),
});

/** https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: 25 KB; the sentence is that of Azure/azure-cli#5639. */
const MAX_VALUE_LENGTH = 25_600;

export const secretView: ObjectView = {
  bundle: (request, name, version) => ({ value: version.material, ...metadata(request, name, version) }),
  item: (request, { name, version, isVersioned }) => ({
    ...metadata(request, name, version),
    id: idOf(request, name, isVersioned ? version.version : undefined),
  }),
};

/** A deleted secret is shown without its value. */
export const deletedSecretView: ObjectView = { ...secretView, bundle: metadata };

function metadata(request: VaultRequest, name: string, version: StoredVersion): Record<string, unknown> {
  return {
    ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
    id: idOf(request, name, version.version),
    attributes: attributesView(request, version.attributes),
    ...(version.tags ? { tags: version.tags } : {}),
  };
}

export function setSecret(request: VaultRequest): WireReply {
  requireFreeName(request);
  const { value, contentType, attributes, tags } = bodyOf(SecretBody, request);
  // Azure counts what UTF-8 makes of it.
  if (Buffer.byteLength(value) > MAX_VALUE_LENGTH)
    throw badParameter(`Secret is beyond the maximum permitted length of ${MAX_VALUE_LENGTH} characters.`);
  const stored: StoredVersion = {
    version: newVersion(),
    attributes: newAttributes(attributes ?? undefined, request.nowSeconds),
    material: value,
    ...(typeof contentType === "string" ? { contentType } : {}),
    ...(tags ? { tags } : {}),
  };
  request.store.addVersions(keyOf(request), [stored]);
  return { status: 200, body: secretView.bundle(request, request.store.nameOf(keyOf(request)), stored) };
}

/**
 * A disabled secret is not shown. One that has expired, or is not yet valid, is: the times inform, and Azure does not enforce them on GET
 * (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#date-time-controlled-operations).
 */
export function getSecret(request: VaultRequest): WireReply {
  const { name, stored } = requireVersion(request);
  if (!stored.attributes.enabled) throw objectDisabled("secret", "get");
  return { status: 200, body: secretView.bundle(request, name, stored) };
}

export function updateSecret(request: VaultRequest): WireReply {
  const { name, stored } = requireVersion(request);
  const { contentType, attributes, tags } = bodyOf(UpdateBody, request);
  const changed: StoredVersion = {
    ...stored,
    attributes: changedAttributes(stored.attributes, attributes ?? undefined, request.nowSeconds),
    contentType: contentType ?? stored.contentType,
    tags: tags ?? stored.tags,
  };
  request.store.replaceVersion(keyOf(request), changed);
  return { status: 200, body: metadata(request, name, changed) };
}
