import type { FaultPlan } from "../../../faults/fault-plan";
import type { Clock } from "../../../event-grid/clock";
import { DeliveryEngine, type SubscriptionStatus } from "../../../event-grid/delivery-engine";
import { type DestinationPorts, Destinations } from "../../../event-grid/destinations";
import { fromEventGridSchema, type JsonObject } from "../../../event-grid/grid-event";
import { HttpCaller } from "../../../event-grid/http-call";
import { publishError, publishToTopic } from "../../../event-grid/topic-endpoint";
import { validateWebhook } from "../../../event-grid/webhook-validation";
import { answerWithFaults } from "../../http/answer-with-faults";
import type { DROPPED, WireReply, WireRequest } from "../../http/wire";
import type { CloudWorld } from "../cloud-world";
import { isSame, type StoredResource } from "../resource-store";
import type { ResourceEvent } from "../resource-events";
import { parentOf, publishedBy, sourceOf, SUBSCRIPTION_TYPES, TOPIC_TYPE } from "./event-sources";
import { isExpired, isLive, toEngine } from "./event-subscription-record";
import { availabilityEvent } from "./health-events";
import { confirmByUrl, type SubscriptionWork } from "./subscription-operations";
import { toPublishTopic } from "./topic-routes";

/** What the stack gives Event Grid: where its destinations are. */
export interface EventGridOptions extends DestinationPorts {
  readonly clock?: Clock | undefined;
  /** How long an endpoint may take to answer. */
  readonly responseTimeoutMs?: number | undefined;
  readonly maxPendingPerSubscription?: number | undefined;
}

export interface EventGridServiceOptions extends EventGridOptions {
  readonly file: string;
  readonly speed: number;
  readonly faults: FaultPlan;
  readonly caPem: string;
  readonly baseUrl: () => string;
  /** An access token of Event Grid itself for an application of the tenant. */
  readonly tokenFor: (application: string) => Promise<string>;
  /** Object id of a token's principal, if it is good for Event Grid. */
  readonly identify: (authorization: string) => Promise<string | undefined>;
  readonly log: (line: string) => void;
}

const DATA_SENDER_ACTION = "Microsoft.EventGrid/events/send/action";

/** Event Grid between ARM, which knows topics and subscriptions, and the engine, which delivers. */
export class EventGridService {
  readonly work: SubscriptionWork;
  private readonly caller: HttpCaller;
  private readonly destinations: Destinations;
  private readonly engine: DeliveryEngine;
  private attached: CloudWorld | undefined;

  constructor(private readonly options: EventGridServiceOptions) {
    const { responseTimeoutMs: timeoutMs = 30_000, caPem, speed, tokenFor, baseUrl } = options;
    this.caller = new HttpCaller({ timeoutMs, caPem });
    this.destinations = new Destinations({
      ...options,
      caller: this.caller,
      allows: (question) => this.world.access.findGrant(question) !== undefined,
    });
    this.engine = new DeliveryEngine({
      ...options,
      find: (id) => this.find(id),
      send: (delivery, signal) => this.destinations.send(delivery, signal),
      writeDeadLetters: (blob) => this.destinations.writeDeadLetters(blob),
    });
    const { caller, engine } = this;
    this.work = {
      ...{ speed, baseUrl, tokenFor },
      validate: (question) => validateWebhook({ caller, clock: engine.clock, speed }, question),
      onChange: () => engine.pump(),
      onDeleted: (id) => engine.forget(id),
    };
  }

  /** The world is made with this service in it, so that it comes afterwards. */
  attach(world: CloudWorld): void {
    this.attached = world;
  }

  /** Once the endpoints of the cloud answer: what an earlier process left behind goes out now. */
  start(): void {
    this.engine.start();
  }

  /** An event of ARM or of Resource Health, for whoever subscribed to its group or its subscription. */
  publish(event: ResourceEvent): void {
    this.publishOne(event);
    const change = availabilityEvent(event);
    if (change) this.publishOne(change);
  }

  /** What is below `/eventgrid/` of the cloud's https endpoint: custom topics, and validation URLs. */
  async handle(request: WireRequest): Promise<WireReply | typeof DROPPED> {
    const [, , kind = "", name = "", action = "", ...rest] = request.path.split("/");
    if (kind === "eventsubscriptions" && action === "validate" && rest.length === 0) return this.confirm(request);
    if (kind !== "topics" || [action, ...rest].join("/") !== "api/events")
      return publishError(404, "The requested resource does not exist.");
    const found = this.findTopic(name);
    return answerWithFaults({
      faults: this.options.faults,
      call: { service: "event-grid", operation: "publish", subject: found?.id ?? request.path },
      answer: () =>
        publishToTopic(
          found && toPublishTopic(found),
          { ...request, nowMs: Date.now() },
          {
            identify: this.options.identify,
            maySend: (principalId, scope) =>
              this.world.access.findGrant({ principalId, scope, action: DATA_SENDER_ACTION, plane: "data" }) !==
              undefined,
            accept: ({ id }, events) => void this.engine.publish(events, this.liveOf(id)),
          },
        ),
      refuse: ({ status, code, message, headers }) => ({ ...publishError(status, message, code), headers }),
    });
  }

  status(): JsonObject {
    const value = this.subscriptions().map((one): SubscriptionStatus => this.engine.statusOf(one.id));
    return { value, deadLettersWaiting: this.engine.deadLettersWaiting() };
  }

  async close(): Promise<void> {
    await this.engine.close();
    this.caller.close();
    await this.destinations.close();
  }

  private get world(): CloudWorld {
    if (!this.attached) throw new Error("Event Grid was used before the cloud was made.");
    return this.attached;
  }

  private subscriptions(): StoredResource[] {
    return SUBSCRIPTION_TYPES.flatMap((type) => this.world.resources.ofType(type));
  }

  private publishOne(event: ResourceEvent): void {
    const now = Date.now();
    for (const one of this.subscriptions()) {
      const source = sourceOf(this.world, parentOf(one));
      const published = source && isLive(one, now) && !isExpired(one, now) ? publishedBy(source, event) : undefined;
      const subscription = published && toEngine(this.world, one);
      if (published && subscription) this.engine.publish([fromEventGridSchema({ ...published })], [subscription]);
    }
  }

  private liveOf(topicId: string) {
    const now = Date.now();
    const live = this.subscriptions().filter(
      (one) => isSame(parentOf(one), topicId) && isLive(one, now) && !isExpired(one, now),
    );
    return live.flatMap((one) => toEngine(this.world, one) ?? []);
  }

  private find(id: string): ReturnType<typeof toEngine> | "paused" {
    const found = this.world.resources.get(id);
    const now = Date.now();
    if (!found || isExpired(found, now)) return undefined;
    return isLive(found, now) ? toEngine(this.world, found) : "paused";
  }

  /** `mytopic.westeurope-1`: names are unique in their region. */
  private findTopic(host: string): StoredResource | undefined {
    return this.world.resources
      .ofType(TOPIC_TYPE)
      .find((one) => isSame(hostOf(one.name, String(one.body["location"])), host));
  }

  private confirm({ method, query }: WireRequest): WireReply {
    if (method !== "GET" && method !== "POST") return publishError(405, "The validation URL is opened with GET.");
    const isKnown = confirmByUrl(this.world, this.work, {
      code: query.get("id") ?? "",
      token: query.get("token") ?? "",
    });
    if (isKnown) return { status: 200, body: "Webhook successfully validated as a subscription endpoint" };
    return publishError(400, "The validation URL is unknown, was used already, or has expired.");
  }
}

export const hostOf = (name: string, location: string): string => `${name}.${location}-1`.toLowerCase();
