import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { Caller, TokenVerifier } from "../access/token-verifier";
import { OrgName } from "../contract/names";
import type { OrganizationRow, OrganizationTable } from "../state/organization-table";
import { notFound, problem } from "./http-answer";

export type Guarded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly response: HttpResponseInit };

const refused = <T>(response: HttpResponseInit): Guarded<T> => ({ ok: false, response });

/** Lets callers pass who may: the deployment's first owner everywhere, an organization's administrators in their organization. */
export class CallerGuard {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly organizations: OrganizationTable,
    private readonly ownerObjectId: string,
  ) {}

  async caller(request: HttpRequest): Promise<Guarded<Caller>> {
    const verification = await this.verifier.verify(request.headers.get("authorization"));
    switch (verification.outcome) {
      case "verified":
        return { ok: true, value: verification.caller };
      case "refused":
        return refused({
          ...problem(401, "Unauthenticated", verification.reason),
          headers: { "x-ms-error-code": "Unauthenticated", "WWW-Authenticate": 'Bearer error="invalid_token"' },
        });
      case "unavailable":
        return refused(
          problem(503, "KeysUnavailable", {
            message: "the signing keys of the identity provider cannot be had now",
            retryAfterSeconds: 5,
          }),
        );
    }
  }

  isOwner(caller: Caller): boolean {
    return caller.objectId === this.ownerObjectId.toLowerCase();
  }

  mayActIn(caller: Caller, { settings }: OrganizationRow): boolean {
    return this.isOwner(caller) || settings.administrators.some((id) => id.toLowerCase() === caller.objectId);
  }

  async owner(request: HttpRequest): Promise<Guarded<Caller>> {
    const caller = await this.caller(request);
    if (!caller.ok || this.isOwner(caller.value)) return caller;
    return refused(problem(403, "Forbidden", "only the owner of the deployment may do this"));
  }

  /** The organization of the route, for a caller who may act in it. One that does not exist and one that is not his look the same. */
  async member(request: HttpRequest): Promise<Guarded<{ caller: Caller; organization: OrganizationRow }>> {
    const caller = await this.caller(request);
    if (!caller.ok) return caller;
    const org = request.params["org"] ?? "";
    const organization = OrgName.safeParse(org).success ? (await this.organizations.find(org))?.value : undefined;
    if (organization && this.mayActIn(caller.value, organization)) {
      return { ok: true, value: { caller: caller.value, organization } };
    }
    if (this.isOwner(caller.value)) return refused(notFound(`organization ${org}`));
    return refused(problem(403, "Forbidden", `you may not act in the organization ${org}`));
  }
}
