import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";

export type PrincipalType = "ServicePrincipal" | "User" | "Group";

/** An object of the Entra directory that may be given roles. */
export interface Principal {
  readonly objectId: string;
  readonly type: PrincipalType;
  readonly displayName: string;
  /** `application`: signs in with a secret; the managed identities get their tokens from Azure's own endpoints. */
  readonly kind: "application" | "user-assigned" | "system-assigned" | "person";
  readonly clientId?: string | undefined;
  readonly secretSha256?: string | undefined;
  /** App roles, the `roles` claim of tokens for an API of the tenant. */
  readonly roles?: readonly string[] | undefined;
  /** The resource of a managed identity. */
  readonly resourceId?: string | undefined;
  readonly createdAtMs: number;
}

/** An API that tokens may be asked for. */
export interface ApiApplication {
  /** The client id: the `aud` of version 2 tokens, whichever name the API was asked for by. */
  readonly appId: string;
  /** Its Application ID URI, `api://…`. */
  readonly identifierUri: string;
  readonly displayName: string;
}

/** The principals of the one tenant that the embedded stack has. */
export class Directory {
  private readonly principals: JsonTable<Principal>;
  private readonly applications: JsonTable<ApiApplication>;
  private readonly byClientId = new Map<string, Principal>();
  private readonly byResourceId = new Map<string, Principal>();

  constructor(
    database: DatabaseSync,
    readonly tenantId: string,
  ) {
    this.principals = new JsonTable(database, "principals");
    this.applications = new JsonTable(database, "applications");
    for (const principal of this.principals.values()) this.index(principal);
  }

  find(objectId: string): Principal | undefined {
    return this.principals.get(objectId.toLowerCase());
  }

  findByClientId(clientId: string): Principal | undefined {
    return this.byClientId.get(clientId.toLowerCase());
  }

  findByResourceId(resourceId: string): Principal | undefined {
    return this.byResourceId.get(resourceId.toLowerCase());
  }

  /** One application for one display name: asked for again, it keeps its ids and gets a new secret. */
  addApplication({ displayName, roles }: { displayName: string; roles?: readonly string[] | undefined }) {
    const clientSecret = `${randomBytes(3).toString("hex")}~${randomBytes(27).toString("base64url")}`;
    const known = this.principals.values().find((one) => one.kind === "application" && one.displayName === displayName);
    const clientId = known?.clientId ?? randomUUID();
    const { objectId } = this.save({
      objectId: known?.objectId ?? randomUUID(),
      type: "ServicePrincipal",
      displayName,
      kind: "application",
      clientId,
      secretSha256: sha256(clientSecret).toString("hex"),
      roles,
    });
    return { objectId, clientId, clientSecret };
  }

  addPerson({
    displayName,
    type,
    objectId,
  }: {
    displayName: string;
    type: "User" | "Group";
    objectId?: string | undefined;
  }): Principal {
    return this.save({ objectId: objectId ?? randomUUID(), type, displayName, kind: "person" });
  }

  /** The principal of a managed identity; the same one when its resource asks again. */
  addManagedIdentity({
    resourceId,
    kind,
  }: {
    resourceId: string;
    kind: "user-assigned" | "system-assigned";
  }): Principal {
    const known = this.findByResourceId(resourceId);
    if (known) return known;
    const displayName = resourceId.slice(resourceId.lastIndexOf("/") + 1);
    return this.save({
      objectId: randomUUID(),
      type: "ServicePrincipal",
      displayName,
      kind,
      clientId: randomUUID(),
      resourceId,
    });
  }

  removeManagedIdentity(resourceId: string): void {
    const principal = this.findByResourceId(resourceId);
    if (!principal) return;
    this.principals.delete(principal.objectId.toLowerCase());
    this.byResourceId.delete(resourceId.toLowerCase());
    if (principal.clientId) this.byClientId.delete(principal.clientId.toLowerCase());
  }

  isSecretOf(principal: Principal, secret: string): boolean {
    if (!principal.secretSha256) return false;
    return timingSafeEqual(Buffer.from(principal.secretSha256, "hex"), sha256(secret));
  }

  registerApi(application: ApiApplication): void {
    this.applications.set(application.appId.toLowerCase(), application);
  }

  /** By client id or by Application ID URI. */
  findApi(audience: string): ApiApplication | undefined {
    const wanted = audience.toLowerCase();
    return (
      this.applications.get(wanted) ??
      this.applications.values().find(({ identifierUri }) => identifierUri.toLowerCase() === wanted.replace(/\/$/, ""))
    );
  }

  private save(given: Omit<Principal, "createdAtMs">): Principal {
    const principal = { ...given, createdAtMs: Date.now() };
    this.index(principal);
    return this.principals.set(principal.objectId.toLowerCase(), principal);
  }

  private index(principal: Principal): void {
    if (principal.clientId) this.byClientId.set(principal.clientId.toLowerCase(), principal);
    if (principal.resourceId) this.byResourceId.set(principal.resourceId.toLowerCase(), principal);
  }
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
