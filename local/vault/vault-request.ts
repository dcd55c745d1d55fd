import type { WireRequest } from "../azure/http/wire";
import { parseJsonBody } from "../azure/http/wire";
import type { z } from "zod";
import { badParameter, type ObjectKind } from "./vault-error";
import type { VaultStore } from "./vault-store";

/** A vault as its data plane needs to know it; ARM tells. */
export interface VaultFacts {
  /** Tells two vaults apart that had the same name one after the other. */
  readonly instance: string;
  readonly resourceId: string;
  readonly name: string;
  readonly location: string;
  readonly uri: string;
  readonly usesRoles: boolean;
  readonly accessPolicies: readonly AccessPolicy[];
  readonly retentionDays: number;
  readonly isPurgeProtected: boolean;
}

export interface AccessPolicy {
  readonly objectId: string;
  readonly permissions: {
    readonly keys?: readonly string[] | null | undefined;
    readonly secrets?: readonly string[] | null | undefined;
  };
}

/** Who calls, as the token says. */
export interface VaultCaller {
  readonly objectId: string;
  readonly appId: string;
  readonly issuer: string;
}

/** As refusals name a caller. */
export const callerText = ({ appId, objectId, issuer }: VaultCaller): string =>
  `${appId === "" ? "" : `appid=${appId};`}oid=${objectId};iss=${issuer}`;

/** A request of the data plane, after its api-version, token and path were checked. */
export interface VaultRequest {
  readonly vault: VaultFacts;
  readonly store: VaultStore;
  readonly caller: VaultCaller;
  readonly wire: WireRequest;
  readonly kind: ObjectKind;
  /** Empty for a collection. */
  readonly name: string;
  readonly version: string | undefined;
  readonly nowSeconds: number;
}

const NAME = /^[0-9a-zA-Z-]{1,127}$/;

export function requireName(kind: ObjectKind, name: string): string {
  if (NAME.test(name)) return name;
  throw badParameter(
    `The request URI contains an invalid name: ${name}. Names of a ${kind} have 1 to 127 characters of 0-9, a-z, A-Z and -.`,
  );
}

export function bodyOf<Schema extends z.ZodType>(schema: Schema, { wire }: VaultRequest): z.infer<Schema> {
  const body = parseJsonBody(wire.body);
  if (!body.ok || body.value === undefined) throw badParameter("The request body is missing, or is no JSON.");
  const parsed = schema.safeParse(body.value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badParameter(`Property ${issue?.path.map(String).join(".") ?? ""} has invalid value. ${issue?.message ?? ""}`);
}

/** `https://localhost:5001/secrets/name`, which is where clients look for name and version. */
export const idOf = ({ vault, kind }: VaultRequest, name: string, version?: string): string =>
  `${vault.uri}${kind}s/${name}${version === undefined ? "" : `/${version}`}`;

export const keyOf = ({ vault, kind, name }: VaultRequest, other = name) => ({
  vault: vault.instance,
  kind,
  name: other,
});
