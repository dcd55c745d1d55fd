import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ClientSecretCredential } from "@azure/identity";
import { z } from "zod";
import { refused, usage } from "./cli-error";
import type { Connection } from "./connection";
import { authorityOf } from "./sign-in/credentials";

export const DEFAULT_STACK_FILE = ".corral/stack.json";

/** The part of a running stack's file that a client needs. */
const StackFile = z.object({
  apiUrl: z.url(),
  armUrl: z.url(),
  authorityUrl: z.url(),
  vaultUrl: z.string(),
  caFile: z.string(),
  tenantId: z.string(),
  audience: z.string(),
  org: z.string(),
  users: z.array(z.object({ role: z.string(), clientId: z.string(), clientSecret: z.string() })),
});

export const isStackThere = (): boolean => existsSync(DEFAULT_STACK_FILE);

/** Connects to the stack whose file is given, in the name of its user with that role. */
export function connectToStack(stackFile: string, role: string): Connection {
  const stack = readStackFile(resolve(stackFile));
  const user = stack.users.find((each) => each.role === role);
  if (!user) {
    const roles = stack.users.map((each) => each.role).join(", ");
    throw usage(`${stackFile} has no user with the role ${role}; it has ${roles}`);
  }
  const target = { tenantId: stack.tenantId, authority: stack.authorityUrl, ca: readFileSync(stack.caFile, "utf8") };
  const credential = new ClientSecretCredential(target.tenantId, user.clientId, user.clientSecret, authorityOf(target));
  return {
    ...target,
    apiUrl: stack.apiUrl,
    armUrl: stack.armUrl,
    audience: stack.audience,
    org: stack.org,
    vaultUrl: stack.vaultUrl || undefined,
    way: `the stack's ${role}`,
    credential,
  };
}

function readStackFile(path: string): z.infer<typeof StackFile> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw usage(`no running stack: ${path} is not there. Start one with npm start, or sign in with corral login.`);
  }
  try {
    return StackFile.parse(JSON.parse(text));
  } catch {
    throw refused(`${path} is not the file of a running stack`);
  }
}
