import { grantRole } from "../arm/authorization/grant-role";
import type { CloudWorld } from "../arm/cloud-world";
import type { Caller } from "../arm/resource-events";
import type { Principal } from "../identity/directory";
import { audienceClaims, commonClaims, userClaims } from "../identity/token-claims";

/** The application of portal.azure.com, in whose name a person's clicks reach ARM. */
const PORTAL_APP_ID = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
const AUDIENCE = "https://management.core.windows.net/";
const DEFAULT_NAME = "Portal User";

export interface Wanted {
  /** Object id, user principal name or display name; somebody new where nobody has it. */
  readonly as?: string | undefined;
  /** Given to them on every subscription; `Owner` for somebody new, and `none` gives nothing. */
  readonly role?: string | undefined;
}

/** The person at the keyboard: a user of the directory, who may do what their roles allow. */
export function portalPerson(world: CloudWorld, { as: name = DEFAULT_NAME, role }: Wanted): Principal {
  const { directory } = world;
  const known = directory.findUser(name) ?? directory.users().find(({ displayName }) => displayName === name);
  const person = known ?? directory.addPerson({ displayName: name, type: "User" });
  const given = role ?? (known ? "none" : "Owner");
  if (given !== "none")
    for (const id of world.subscriptionIds)
      grantRole(world, { principalId: person.objectId, role: given, scope: `/subscriptions/${id}` });
  return person;
}

/** What ARM would read from their token. */
export const callerOf = ({ directory: { tenantId } }: CloudWorld, person: Principal): Caller => ({
  objectId: person.objectId,
  appId: PORTAL_APP_ID,
  claims: {
    iss: `https://sts.windows.net/${tenantId}/`,
    ...commonClaims(person, tenantId),
    ...audienceClaims(undefined, { audience: AUDIENCE, clientId: PORTAL_APP_ID, proof: "none" }),
    ...userClaims(person, "1.0"),
    scp: "user_impersonation",
    ipaddr: "127.0.0.1",
  },
});
