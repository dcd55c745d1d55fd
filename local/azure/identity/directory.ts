import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";
import { ClientKeys } from "./client-keys";
import { GroupMembers } from "./group-members";

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
  /** What a person signs in as: `ada@local.onmicrosoft.com`. */
  readonly userPrincipalName?: string | undefined;
  /** A client that keeps no secret: a command line, a desktop program. */
  readonly isPublicClient?: boolean | undefined;
  /** Where an application may be answered, besides `http://localhost` for a public client. */
  readonly redirectUris?: readonly string[] | undefined;
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
  /** Delegated permissions, `scp` of users' tokens; `user_impersonation` where none are named. */
  readonly scopes?: readonly string[] | undefined;
  /** Do its tokens tell the groups of their principal? As `groupMembershipClaims` of the manifest. */
  readonly groupMembershipClaims?: "SecurityGroup" | undefined;
}

export interface NewApplication {
  readonly displayName: string;
  readonly roles?: readonly string[] | undefined;
  readonly redirectUris?: readonly string[] | undefined;
  readonly isPublicClient?: boolean | undefined;
}

export interface NewPerson {
  readonly displayName: string;
  readonly type: "User" | "Group";
  readonly objectId?: string | undefined;
  /** Somebody who is known by this name keeps the object id. */
  readonly userPrincipalName?: string | undefined;
  readonly roles?: readonly string[] | undefined;
}

const DOMAIN = "local.onmicrosoft.com";

/** The principals of the one tenant that the embedded stack has. */
export class Directory {
  private readonly principals: JsonTable<Principal>;
  private readonly applications: JsonTable<ApiApplication>;
  readonly groups: GroupMembers;
  readonly clientKeys: ClientKeys;
  private readonly byClientId = new Map<string, Principal>();
  private readonly byResourceId = new Map<string, Principal>();

  constructor(
    database: DatabaseSync,
    readonly tenantId: string,
  ) {
    this.principals = new JsonTable(database, "principals");
    this.applications = new JsonTable(database, "applications");
    this.groups = new GroupMembers(database);
    this.clientKeys = new ClientKeys(database);
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
  addApplication({ displayName, ...more }: NewApplication) {
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
      ...more,
    });
    return { objectId, clientId, clientSecret };
  }

  addPerson({ type, ...person }: NewPerson): Principal {
    if (type === "Group")
      return this.save({ ...person, objectId: person.objectId ?? randomUUID(), type, kind: "person" });
    const known = person.userPrincipalName ? this.findUser(person.userPrincipalName) : undefined;
    const objectId = person.objectId ?? known?.objectId ?? randomUUID();
    const userPrincipalName = person.userPrincipalName ?? this.freeName(person.displayName, objectId);
    return this.save({ ...person, objectId, userPrincipalName, type, kind: "person" });
  }

  users(): Principal[] {
    return this.principals.values().filter(({ type }) => type === "User");
  }

  /** By object id or by the name that is typed in when signing in. */
  findUser(name: string): Principal | undefined {
    const wanted = name.trim().toLowerCase();
    return this.users().find(
      ({ objectId, userPrincipalName }) =>
        objectId.toLowerCase() === wanted || userPrincipalName?.toLowerCase() === wanted,
    );
  }

  addGroupMember(groupId: string, memberId: string): void {
    const [group, member] = [this.find(groupId), this.find(memberId)];
    if (group?.type !== "Group" || !member)
      throw new Error(`add ${memberId} to ${groupId}: no such ${member ? "group" : "member"}`);
    this.groups.add(group.objectId, member.objectId);
  }

  /** App roles of its own, and those of its groups. */
  rolesOf(principal: Principal): string[] {
    const groups = this.groups.groupsOf(principal.objectId).flatMap((groupId) => this.find(groupId)?.roles ?? []);
    return [...new Set([...(principal.roles ?? []), ...groups])];
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

  private freeName(displayName: string, objectId: string): string {
    const local =
      displayName
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, ".")
        .replace(/^\.|\.$/g, "") || "user";
    const taken = this.findUser(`${local}@${DOMAIN}`);
    return taken && taken.objectId !== objectId ? `${local}.${objectId.slice(0, 8)}@${DOMAIN}` : `${local}@${DOMAIN}`;
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
