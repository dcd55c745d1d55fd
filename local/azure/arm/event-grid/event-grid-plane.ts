import { join } from "node:path";
import type { LocalTls } from "../../../tls/certificate-authority";
import type { AzureOptions } from "../../azure-options";
import type { WireHandler } from "../../http/wire";
import { EVENT_GRID_AUDIENCES } from "../../identity/audiences";
import type { Directory, Principal } from "../../identity/directory";
import type { SigningKeys } from "../../identity/signing-key";
import type { TokenIssuer } from "../../identity/token-issuer";
import { ArmError } from "../arm-error";
import { Authentication } from "../authentication";
import type { CloudWorld } from "../cloud-world";
import type { ResourceEvent } from "../resource-events";
import type { ArmRoute } from "../route";
import { createEventGridRoutes } from "./event-grid-routes";
import { EventGridService } from "./event-grid-service";
import { registerSubscriptionOperations } from "./subscription-operations";

export interface EventGridParts {
  readonly options: AzureOptions;
  readonly directory: Directory;
  readonly issuer: TokenIssuer;
  readonly key: SigningKeys;
  readonly authority: () => string;
  readonly tls: LocalTls;
}

/** Event Grid as the cloud around it sees it. */
export interface EventGridPlane {
  readonly routes: readonly ArmRoute[];
  /** What happened in the cloud; never throws, as what happened is done. */
  readonly publish: (event: ResourceEvent) => void;
  attach(world: CloudWorld): void;
  start(): void;
  /** Takes topics and validation URLs before a handler for everything else. */
  before(handler: WireHandler): WireHandler;
  /** Adds `GET /event-grid` to the portal: what became of the events of each subscription. */
  beforePortal(handler: WireHandler): WireHandler;
  close(): Promise<void>;
}

/** The application that calls webhooks that are secured by Entra: https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery */
const EVENT_GRID_PRINCIPAL: Principal = {
  objectId: "4962773b-9cdb-44cf-a8bf-000000000001",
  clientId: "4962773b-9cdb-44cf-a8bf-237846a00ab7",
  type: "ServicePrincipal",
  displayName: "Microsoft.EventGrid",
  kind: "application",
  roles: ["AzureEventGridSecureWebhookSubscriber"],
  createdAtMs: 0,
};

export function createEventGridPlane(parts: EventGridParts): EventGridPlane {
  const { options, issuer, authority, tls } = parts;
  const service = new EventGridService({
    ...options.eventGrid,
    file: join(options.dataFolder, "event-grid.sqlite"),
    speed: options.speed,
    faults: options.faults,
    caPem: tls.caPem,
    baseUrl: authority,
    tokenFor: async (application) => (await issuer.issue(EVENT_GRID_PRINCIPAL, application)).accessToken,
    identify: createIdentification(parts),
    log: options.log,
  });
  let routes: readonly ArmRoute[] = [];
  return {
    get routes() {
      return routes;
    },
    publish: (event) => {
      try {
        service.publish(event);
      } catch (error) {
        options.log(
          `event grid: ${event.eventType} was not taken: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    attach: (world) => {
      service.attach(world);
      registerSubscriptionOperations(world, service.work);
      routes = createEventGridRoutes(world, service);
    },
    start: () => service.start(),
    before: (handler) => (request) =>
      request.path.startsWith("/eventgrid/") ? service.handle(request) : handler(request),
    beforePortal: (handler) => (request) =>
      request.method === "GET" && request.path === "/event-grid"
        ? Promise.resolve({ status: 200, body: service.status() })
        : handler(request),
    close: () => service.close(),
  };
}

function createIdentification({
  directory,
  key,
  authority,
}: EventGridParts): (header: string) => Promise<string | undefined> {
  const authentication = new Authentication({ directory, key, authority, audiences: EVENT_GRID_AUDIENCES });
  return async (authorization) => {
    try {
      return (await authentication.callerOf(authorization)).objectId;
    } catch (error) {
      if (error instanceof ArmError) return undefined;
      throw error;
    }
  };
}
