import { randomUUID } from "node:crypto";

/** What a caller's token says of it. */
export interface Caller {
  readonly objectId: string;
  /** Empty for a person at the portal. */
  readonly appId: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What is known when a request is taken; the event is told when its effect is there. */
export interface EventSeed {
  readonly resourceId: string;
  /** `Microsoft.Compute/virtualMachines/write`. */
  readonly action: string;
  readonly kind: "Write" | "Delete" | "Action";
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly correlationId: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** Absent at a create. */
  readonly httpRequest?: Readonly<Record<string, string>> | undefined;
}

/** An event of Event Grid's own schema: https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions */
export interface ResourceEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly dataVersion: string;
  readonly metadataVersion: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type EventResult = "Success" | "Failure" | "Cancel";

const STATUS = { Success: "Succeeded", Failure: "Failed", Cancel: "Canceled" } as const;

export function resourceEvent(seed: EventSeed, result: EventResult): ResourceEvent {
  return {
    id: randomUUID(),
    topic: `/subscriptions/${seed.subscriptionId}`,
    subject: seed.resourceId,
    eventType: `Microsoft.Resources.Resource${seed.kind}${result}`,
    eventTime: new Date().toISOString(),
    dataVersion: "2",
    metadataVersion: "1",
    data: {
      authorization: { scope: seed.resourceId, action: seed.action, evidence: seed.evidence },
      claims: eventClaims(seed.claims),
      resourceProvider: seed.action.split("/")[0],
      resourceUri: seed.resourceId,
      correlationId: seed.correlationId,
      ...(seed.httpRequest ? { httpRequest: seed.httpRequest } : {}),
      operationName: seed.action,
      status: STATUS[result],
      subscriptionId: seed.subscriptionId,
      tenantId: seed.tenantId,
    },
  };
}

/** The claims of the caller under the names that ARM's events use. */
function eventClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copied = ["aud", "iss", "iat", "nbf", "exp", "appid", "appidacr", "uti", "ver", "xms_mirid"];
  const known = Object.fromEntries(copied.flatMap((name) => (name in claims ? [[name, String(claims[name])]] : [])));
  return {
    ...known,
    ...personClaims(claims),
    "http://schemas.microsoft.com/identity/claims/objectidentifier": claims["oid"],
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": claims["sub"],
    "http://schemas.microsoft.com/identity/claims/tenantid": claims["tid"],
  };
}

/** Who a person is, by name. */
function personClaims({ name, upn, ipaddr, scp }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof upn !== "string") return {};
  return {
    name,
    ...(ipaddr === undefined ? {} : { ipaddr }),
    "http://schemas.microsoft.com/identity/claims/scope": scp,
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": upn,
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": upn,
  };
}

/** The annotation that Resource Health publishes when Azure takes a spot VM back: no ARM call, hence no resource event. */
export function preemptionEvent(resourceId: string, subscriptionId: string): ResourceEvent {
  const now = new Date().toISOString();
  return {
    id: randomUUID(),
    topic: `/subscriptions/${subscriptionId}`,
    subject: resourceId,
    eventType: "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
    eventTime: now,
    dataVersion: "1",
    metadataVersion: "1",
    data: {
      resourceInfo: {
        id: `${resourceId}/providers/Microsoft.ResourceHealth/resourceAnnotations/${randomUUID()}`,
        name: "current",
        type: "Microsoft.ResourceHealth/resourceAnnotations",
        properties: {
          targetResourceId: resourceId,
          targetResourceType: "Microsoft.Compute/virtualMachines",
          occurredTime: now,
          annotationName: "VirtualMachinePreempted",
          reason: "Virtual machine preempted",
          summary: "This spot virtual machine is being evicted, because Azure needs its capacity.",
          context: "Platform Initiated",
          category: "Unplanned",
        },
      },
      operationalInfo: { resourceEventTime: now },
      apiVersion: "2022-08-01",
    },
  };
}
