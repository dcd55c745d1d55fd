import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AzureOptions, ServicePrincipal } from "../../local/azure/azure-options";
import { type AzureFixture, startFixture, stopFixture } from "../local/azure/azure-fixture";
import { TENANT } from "../local/azure/wire";
import { postForm } from "../conformance/identity/sign-in";
import { ScriptedDeployment } from "./scripted-deployment";

/** A tenant with the CLI's application in it, and a deployment that trusts it. */
export interface SignInFixture {
  readonly azure: AzureFixture;
  readonly deployment: ScriptedDeployment;
  /** An empty folder. */
  readonly folder: string;
  /** Options that name the embedded Entra and Azure. */
  readonly where: readonly string[];
}

export async function startSignIn(options: Partial<AzureOptions> = {}): Promise<SignInFixture> {
  const azure = await startFixture({ deviceCodeIntervalSeconds: 1, ...options });
  const { clientId } = azure.azure.addServicePrincipal({ displayName: "command line", isPublicClient: true });
  const deployment = await ScriptedDeployment.start({ clientId });
  const { authorityUrl, armUrl, caFile } = azure.azure;
  const where = ["--api", deployment.url, "--authority", authorityUrl, "--arm", armUrl, "--ca", caFile];
  return { azure, deployment, folder: mkdtempSync(join(tmpdir(), "corral-cli-")), where };
}

export async function stopSignIn({ azure, deployment, folder }: SignInFixture): Promise<void> {
  await deployment.close();
  await stopFixture(azure);
  rmSync(folder, { recursive: true, force: true });
}

export const secretEnvironment = ({ clientId, clientSecret }: ServicePrincipal): Record<string, string> => ({
  AZURE_TENANT_ID: TENANT,
  AZURE_CLIENT_ID: clientId,
  AZURE_CLIENT_SECRET: clientSecret,
});

/** The person on another device, who reads the code on this one and enters it once. */
export function approver({ azure }: SignInFixture, user: string): (stderr: string) => void {
  let isDone = false;
  return (stderr) => {
    const code = /enter the code ([A-Z0-9-]+)/i.exec(stderr)?.[1];
    if (code === undefined || isDone) return;
    isDone = true;
    void postForm(azure, `/${TENANT}/oauth2/v2.0/deviceauth`, { fields: { user_code: code, user } });
  };
}
