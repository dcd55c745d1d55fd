import type { NetworkManagementClient, VirtualNetwork } from "@azure/arm-network";
import { ResourceManagementClient } from "@azure/arm-resources";
import {
  type AzureFixture,
  credentialOf,
  fast,
  GROUP,
  LOCATION,
  resourcesOf,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { call, type RawReply, type RawRequest } from "../../local/azure/wire";

export const SUBSCRIPTION_ID = `/subscriptions/${SUBSCRIPTION}`;
export const GROUPS = `${SUBSCRIPTION_ID}/resourceGroups`;

export const networkBody = (tags: Record<string, string> = {}): VirtualNetwork => ({
  location: LOCATION,
  tags,
  addressSpace: { addressPrefixes: ["10.1.0.0/16"] },
});

export async function createNetwork(
  client: NetworkManagementClient,
  name: string,
  tags: Record<string, string> = {},
): Promise<VirtualNetwork> {
  return await client.virtualNetworks.createOrUpdate(GROUP, name, networkBody(tags), fast);
}

/** Groups in the order given, all tagged alike. */
export async function createGroups(
  fixture: AzureFixture,
  names: readonly string[],
  { location = LOCATION, tags = {} }: { location?: string; tags?: Record<string, string> } = {},
): Promise<void> {
  for (const name of names) await resourcesOf(fixture).resourceGroups.createOrUpdate(name, { location, tags });
}

/** Follows `nextLink` by hand; the pages as they came. */
export async function pagesOf(fixture: AzureFixture, path: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const { value, nextLink } = (await call(fixture, { path: next })).body as Page;
    pages.push(value.map(({ name }) => name));
    next = nextLink === undefined ? undefined : pathOf(nextLink);
  }
  return pages;
}

interface Page {
  readonly value: readonly { readonly name: string }[];
  readonly nextLink?: string;
}

export const nextLinkOf = ({ body }: RawReply): string => (body as Page).nextLink ?? "";

/** What a link asks for, without its host. */
export function pathOf(link: string): string {
  const { pathname, search } = new URL(link);
  return `${pathname}${search}`;
}

/** A client's `onResponse` that keeps the headers of the last answer. */
export function watchHeaders(): {
  readonly headers: Record<string, string>;
  readonly onResponse: (reply: { readonly headers: { toJSON(): Record<string, string> } }) => void;
} {
  const headers: Record<string, string> = {};
  return { headers, onResponse: (reply) => void Object.assign(headers, reply.headers.toJSON()) };
}

export const remaining = async (
  fixture: AzureFixture,
  request: RawRequest & { readonly as?: AzureFixture["owner"] },
  name: string,
): Promise<unknown> => (await call(fixture, request)).headers[`x-ms-ratelimit-remaining-${name}`];

/** A client as it comes: it tries again. */
export const patientResourcesOf = (fixture: AzureFixture): ResourceManagementClient =>
  new ResourceManagementClient(credentialOf(fixture), SUBSCRIPTION, {
    endpoint: fixture.azure.armUrl,
    tlsOptions: { ca: fixture.azure.caPem },
  });
