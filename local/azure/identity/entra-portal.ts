import { z } from "zod";
import { parseJsonBody, type WireHandler, type WireReply, type WireRequest } from "../http/wire";
import type { Directory, Principal } from "./directory";
import type { GrantStore } from "./grant-store";
import type { SigningKeys } from "./signing-key";

export interface EntraPortalOptions {
  readonly directory: Directory;
  readonly grants: GrantStore;
  readonly key: SigningKeys;
}

const NewUser = z.strictObject({
  displayName: z.string().min(1).max(256),
  userPrincipalName: z
    .string()
    .regex(/^[^@\s]+@[^@\s]+$/)
    .optional(),
  roles: z.array(z.string()).optional(),
});
const NewGroup = z.strictObject({ displayName: z.string().min(1).max(256), roles: z.array(z.string()).optional() });
const Member = z.strictObject({ memberId: z.string() });
const Certificate = z.strictObject({ pem: z.string() });
const Decision = z.strictObject({ user: z.string().optional(), decision: z.enum(["approve", "decline"]) });

/** What the tenant's administrator does in Entra's portal; below `/entra/` of the local portal. */
export function createEntraPortal(options: EntraPortalOptions): WireHandler {
  return (request) => Promise.resolve(answer(options, request));
}

function answer({ directory, grants, key }: EntraPortalOptions, request: WireRequest): WireReply {
  const [, , first = "", id = "", part = ""] = request.path.split("/").map(decoded);
  switch (`${request.method} ${first}${id && "/*"}${part && `/${part}`}`) {
    case "GET users":
      return { status: 200, body: { value: directory.users().map(view) } };
    case "POST users":
      return withBody(request, NewUser, (user) => created(directory.addPerson({ ...user, type: "User" })));
    case "POST groups":
      return withBody(request, NewGroup, (group) => created(directory.addPerson({ ...group, type: "Group" })));
    case "GET groups/*/members":
      return { status: 200, body: { value: membersOf(directory, id) } };
    case "POST groups/*/members":
      return withBody(request, Member, ({ memberId }) => addMember(directory, id, memberId));
    case "POST applications/*/certificates":
      return withBody(request, Certificate, ({ pem }) => addCertificate(directory, id, pem));
    case "POST keys/*":
      return id === "rotate" ? { status: 200, body: { keyId: key.rotate().keyId } } : notFound(request);
    case "POST users/*/revoke":
      return revoke(directory, grants, id);
    case "POST devices/*":
      return withBody(request, Decision, (decision) => decide(directory, grants, { userCode: id, ...decision }));
    default:
      return notFound(request);
  }
}

/** As it stands where it is no percent-encoding: then nothing has that name. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const refuse = (status: number, code: string, message: string): WireReply => ({
  status,
  body: { error: { code, message } },
});

const notFound = ({ method, path }: WireRequest): WireReply =>
  refuse(404, "NotFound", `The portal has no ${method} ${path}.`);

function withBody<Schema extends z.ZodType>(
  request: WireRequest,
  schema: Schema,
  act: (body: z.infer<Schema>) => WireReply,
): WireReply {
  const json = parseJsonBody(request.body);
  if (!json.ok) return refuse(400, "MalformedBody", json.reason);
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return act(parsed.data);
  const issue = parsed.error.issues[0];
  return refuse(400, "InvalidField", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}

const view = ({ objectId, displayName, userPrincipalName, type, roles }: Principal): object => ({
  id: objectId,
  displayName,
  userPrincipalName,
  type,
  roles: roles ?? [],
});

const created = (principal: Principal): WireReply => ({ status: 201, body: view(principal) });

const membersOf = (directory: Directory, groupId: string): object[] =>
  directory.groups.membersOf(groupId).flatMap((memberId) => {
    const member = directory.find(memberId);
    return member ? [view(member)] : [];
  });

function addMember(directory: Directory, groupId: string, memberId: string): WireReply {
  const group = directory.find(groupId);
  if (group?.type !== "Group") return refuse(404, "NotFound", `There is no group '${groupId}'.`);
  const member = directory.find(memberId);
  if (!member) return refuse(400, "InvalidField", `memberId: there is no principal '${memberId}'.`);
  directory.addGroupMember(group.objectId, member.objectId);
  return { status: 204 };
}

function addCertificate(directory: Directory, clientId: string, pem: string): WireReply {
  const application = directory.findByClientId(clientId);
  if (application?.kind !== "application") return refuse(404, "NotFound", `There is no application '${clientId}'.`);
  try {
    const { thumbprint, validTo } = directory.clientKeys.addCertificate(application.clientId ?? clientId, pem);
    return { status: 201, body: { thumbprint, validTo } };
  } catch (error) {
    return refuse(400, "InvalidField", `pem: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function revoke(directory: Directory, grants: GrantStore, name: string): WireReply {
  const principal = directory.find(name) ?? directory.findUser(name);
  if (!principal) return refuse(404, "NotFound", `There is no principal '${name}'.`);
  grants.revokeSessions(principal.objectId);
  return { status: 204 };
}

interface DeviceDecision {
  readonly userCode: string;
  readonly decision: "approve" | "decline";
  readonly user?: string | undefined;
}

function decide(
  directory: Directory,
  grants: GrantStore,
  { userCode, decision, user: name = "" }: DeviceDecision,
): WireReply {
  const user = directory.findUser(name);
  if (decision === "approve" && !user) return refuse(400, "InvalidField", `user: there is no user '${name}'.`);
  const state = decision === "approve" ? "approved" : "declined";
  if (grants.decideDevice(userCode, { state, userId: user?.objectId })) return { status: 204 };
  return refuse(404, "NotFound", `No device waits with the code '${userCode}'.`);
}
