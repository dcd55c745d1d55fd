import { ResourceManagementClient } from "@azure/arm-resources";
import type { TokenCredential } from "@azure/identity";
import { refusalOf } from "./rest-error";
import type { ResourceClient } from "./vm-client";

const IDENTITY_API_VERSION = "2023-01-31";

const subscriptionOf = (resourceId: string): string => resourceId.split("/")[2] ?? "";

/** Resources by id through `@azure/arm-resources`. */
export class ArmResourceClient implements ResourceClient {
  private readonly clients = new Map<string, ResourceManagementClient>();

  constructor(
    private readonly credential: TokenCredential,
    private readonly endpoint: string,
  ) {}

  async exists(resourceId: string, apiVersion: string): Promise<boolean> {
    return (await this.find(resourceId, apiVersion)) !== undefined;
  }

  async groupExists(subscriptionId: string, resourceGroup: string): Promise<boolean> {
    try {
      await this.clientFor(subscriptionId).resourceGroups.get(resourceGroup);
      return true;
    } catch (error) {
      if (refusalOf(error)?.status === 404) return false;
      throw error;
    }
  }

  async findIdentityPrincipal(identityId: string): Promise<string | undefined> {
    const identity = await this.find(identityId, IDENTITY_API_VERSION);
    // GenericResource types its bag as `any`; what the identity's API puts there is checked before it is used.
    const properties: unknown = identity?.properties;
    if (typeof properties !== "object" || properties === null || !("principalId" in properties)) return undefined;
    return typeof properties.principalId === "string" ? properties.principalId : undefined;
  }

  async delete(resourceId: string, apiVersion: string): Promise<void> {
    try {
      await this.clientFor(subscriptionOf(resourceId)).resources.deleteById(resourceId, apiVersion).submitted();
    } catch (error) {
      if (refusalOf(error)?.status !== 404) throw error;
    }
  }

  private async find(resourceId: string, apiVersion: string) {
    try {
      return await this.clientFor(subscriptionOf(resourceId)).resources.getById(resourceId, apiVersion);
    } catch (error) {
      if (refusalOf(error)?.status === 404) return undefined;
      throw error;
    }
  }

  private clientFor(subscriptionId: string): ResourceManagementClient {
    let client = this.clients.get(subscriptionId);
    if (!client) {
      client = new ResourceManagementClient(this.credential, subscriptionId, {
        endpoint: this.endpoint,
        retryOptions: { maxRetries: 0 },
      });
      this.clients.set(subscriptionId, client);
    }
    return client;
  }
}
