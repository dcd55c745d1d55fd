import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClientSecretCredential } from "@azure/identity";
import { z } from "zod";

/** The part of a running stack's file that a client needs. */
const StackFile = z.object({
  apiUrl: z.url(),
  authorityUrl: z.url(),
  caFile: z.string(),
  tenantId: z.string(),
  audience: z.string(),
  org: z.string(),
  users: z.array(z.object({ role: z.string(), clientId: z.string(), clientSecret: z.string() })),
});

export interface Connection {
  readonly apiUrl: string;
  readonly org: string;
  readonly token: () => Promise<string>;
}

/** An error that says all that its reader needs; shown without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Connects to the stack whose file is given, in the name of its user with that role. */
export function connect(stackFile: string, role: string): Connection {
  const stack = readStackFile(resolve(stackFile));
  const user = stack.users.find((each) => each.role === role);
  if (!user)
    throw new UsageError(
      `${stackFile} has no user with the role ${role}; it has ${stack.users.map((each) => each.role).join(", ")}`,
    );
  const credential = new ClientSecretCredential(stack.tenantId, user.clientId, user.clientSecret, {
    authorityHost: stack.authorityUrl,
    // The embedded Entra is not one of Microsoft's, so there is nothing to discover.
    disableInstanceDiscovery: true,
    tlsOptions: { ca: readFileSync(stack.caFile) },
  });
  return {
    apiUrl: stack.apiUrl,
    org: stack.org,
    token: async () => (await credential.getToken(`${stack.audience}/.default`)).token,
  };
}

function readStackFile(path: string): z.infer<typeof StackFile> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UsageError(
      `no running stack: ${path} is not there. Start one with npm start, or name its file with --stack.`,
    );
  }
  const parsed = StackFile.safeParse(JSON.parse(text));
  if (!parsed.success) throw new UsageError(`${path} is not the file of a running stack`);
  return parsed.data;
}
