import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { AssignedIdentity, HostedVm, IdentityTokens } from "./hypervisor";

export interface MetadataService {
  readonly url: string;
  announcePreemption(noticeSeconds: number): void;
  close(): Promise<void>;
}

interface ScheduledEvent {
  readonly EventId: string;
  readonly EventType: "Preempt";
  readonly ResourceType: "VirtualMachine";
  readonly Resources: readonly string[];
  EventStatus: "Scheduled" | "Started";
  NotBefore: string;
  readonly Description: string;
  readonly EventSource: "Platform";
  readonly DurationInSeconds: number;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

interface Guest {
  readonly vm: HostedVm;
  readonly tokens: IdentityTokens;
  readonly events: { incarnation: number; readonly list: ScheduledEvent[] };
}

/** What 169.254.169.254 is to one VM: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service */
export async function startMetadataService(vm: HostedVm, tokens: IdentityTokens): Promise<MetadataService> {
  const guest: Guest = { vm, tokens, events: { incarnation: 1, list: [] } };
  const server = createServer((request, response) => {
    answerTo(request, guest)
      .catch((error: unknown): Answer => ({
        status: 500,
        body: { error: "internal_error", error_description: String(error) },
      }))
      .then((answer) => send(response, answer))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => resolve(undefined));
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    announcePreemption: (noticeSeconds) => {
      guest.events.incarnation += 1;
      guest.events.list.push(preemptionOf(vm.name, noticeSeconds));
    },
    close: () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      return closed.promise;
    },
  };
}

async function answerTo(request: IncomingMessage, guest: Guest): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://metadata");
  // Guards against requests that a web server was tricked into: they cannot set the one header and may carry the other.
  if (
    request.headers["metadata"]?.toString().toLowerCase() !== "true" ||
    request.headers["x-forwarded-for"] !== undefined
  ) {
    return refusal("Required metadata header not specified");
  }
  if (!url.searchParams.has("api-version")) return refusal("Required query variable 'api-version' is missing");
  switch (url.pathname.replace(/\/$/, "")) {
    case "/metadata/instance":
      return { status: 200, body: instanceOf(guest.vm) };
    case "/metadata/identity/oauth2/token":
      return tokenFor(url.searchParams, guest);
    case "/metadata/scheduledevents":
      return request.method === "POST" ? startEvents(await textOf(request), guest) : scheduledEventsOf(guest);
    case "/metadata/attested/document":
      return {
        status: 501,
        body: { error: "not_implemented", error_description: "attested documents are not simulated yet" },
      };
    default:
      return {
        status: 404,
        body: { error: "not_found", error_description: `${url.pathname} is not a metadata resource` },
      };
  }
}

function instanceOf(vm: HostedVm): object {
  const tagsList = Object.entries(vm.tags).map(([name, value]) => ({ name, value }));
  const compute = {
    azEnvironment: "AzurePublicCloud",
    customData: "",
    evictionPolicy: vm.priority === "Spot" ? "Delete" : "",
    location: vm.location,
    name: vm.name,
    osType: "Linux",
    priority: vm.priority,
    provider: "Microsoft.Compute",
    resourceGroupName: vm.resourceGroup,
    resourceId: vm.resourceId,
    subscriptionId: vm.subscriptionId,
    tags: tagsList.map(({ name, value }) => `${name}:${value}`).join(";"),
    tagsList,
    vmId: vm.vmId,
    vmSize: vm.vmSize,
    zone: vm.zone ?? "",
  };
  return { compute, network: { interface: [] } };
}

async function tokenFor(query: URLSearchParams, { vm, tokens }: Guest): Promise<Answer> {
  const resource = query.get("resource");
  if (!resource) return refusal("Required query variable 'resource' is missing");
  const chosen = chooseIdentity(vm.identities, query);
  if ("status" in chosen) return chosen;
  const { accessToken, expiresAt } = await tokens.issueForIdentity(chosen, resource);
  const expiresOn = Math.floor(expiresAt.getTime() / 1000);
  const now = Math.floor(Date.now() / 1000);
  // All numbers are strings, as the real service writes them.
  const times = { expires_in: String(expiresOn - now), expires_on: String(expiresOn), not_before: String(now) };
  return {
    status: 200,
    body: { access_token: accessToken, client_id: chosen.clientId, ...times, resource, token_type: "Bearer" },
  };
}

/** Named identities first; unnamed, the system-assigned one, or the only user-assigned one. */
function chooseIdentity(identities: readonly AssignedIdentity[], query: URLSearchParams): AssignedIdentity | Answer {
  const clientId = query.get("client_id");
  const objectId = query.get("object_id") ?? query.get("principal_id");
  const resourceId = query.get("mi_res_id") ?? query.get("msi_res_id");
  if (clientId !== null || objectId !== null || resourceId !== null) {
    const named = identities.find(
      (identity) =>
        same(identity.clientId, clientId) ||
        same(identity.principalId, objectId) ||
        (identity.kind === "user-assigned" && same(identity.resourceId, resourceId)),
    );
    return named ?? refusal("Identity not found");
  }
  const system = identities.find(({ kind }) => kind === "system-assigned");
  if (system) return system;
  const [first, second] = identities;
  if (!first) return refusal("Identity not found");
  if (!second) return first;
  return refusal(
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
  );
}

function same(value: string, asked: string | null): boolean {
  return asked !== null && value.toLowerCase() === asked.toLowerCase();
}

function preemptionOf(vmName: string, noticeSeconds: number): ScheduledEvent {
  return {
    EventId: randomUUID().toUpperCase(),
    EventType: "Preempt",
    ResourceType: "VirtualMachine",
    Resources: [vmName],
    EventStatus: "Scheduled",
    NotBefore: new Date(Date.now() + noticeSeconds * 1000).toUTCString(),
    Description: "Azure needs the capacity of this Spot virtual machine.",
    EventSource: "Platform",
    DurationInSeconds: -1,
  };
}

function scheduledEventsOf({ events }: Guest): Answer {
  return { status: 200, body: { DocumentIncarnation: events.incarnation, Events: events.list } };
}

function startEvents(text: string, { events }: Guest): Answer {
  const { StartRequests = [] } = JSON.parse(text || "{}") as {
    readonly StartRequests?: readonly { readonly EventId: string }[];
  };
  for (const { EventId } of StartRequests) {
    const event = events.list.find((candidate) => candidate.EventId === EventId);
    if (!event) return refusal(`no event ${EventId}`);
    event.EventStatus = "Started";
    event.NotBefore = "";
    events.incarnation += 1;
  }
  return { status: 200, body: {} };
}

function refusal(description: string): Answer {
  return { status: 400, body: { error: "invalid_request", error_description: description } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}
