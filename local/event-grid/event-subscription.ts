import type { EventFilter } from "./event-filter";
import type { DeliverySchema } from "./grid-event";
import type { RetryPolicy } from "./retry-policy";

export interface DeliveryAttribute {
  readonly name: string;
  /** A fixed value, or the field of the event that has it. */
  readonly value?: string | undefined;
  readonly sourceField?: string | undefined;
}

export interface BatchPolicy {
  readonly maxEvents: number;
  readonly preferredBytes: number;
  /** Whether batching was asked for: without it CloudEvents go out as one object, not as a list. */
  readonly isOn: boolean;
}

export type Destination =
  | {
      readonly kind: "WebHook";
      readonly url: string;
      readonly batch: BatchPolicy;
      readonly attributes: readonly DeliveryAttribute[];
      /** The application that tokens are asked for; absent: the webhook asks for none. */
      readonly entraApplication?: string | undefined;
    }
  | {
      readonly kind: "AzureFunction";
      readonly resourceId: string;
      readonly batch: BatchPolicy;
      readonly attributes: readonly DeliveryAttribute[];
    }
  | {
      readonly kind: "ServiceBusQueue" | "ServiceBusTopic";
      readonly resourceId: string;
      readonly attributes: readonly DeliveryAttribute[];
    }
  | {
      readonly kind: "StorageQueue";
      readonly resourceId: string;
      readonly queueName: string;
      /** -1: the message never expires. */
      readonly timeToLiveSeconds: number | undefined;
    };

/** With which identity Event Grid acts; `none`: with its own rights, as subscriptions without an identity do. */
export type DeliveryIdentity =
  | { readonly kind: "none" }
  /** The principal may be gone: then nothing is allowed any more. */
  | { readonly kind: "managed"; readonly principalId: string | undefined };

export interface DeadLetterTarget {
  /** The storage account's resource id. */
  readonly resourceId: string;
  readonly container: string;
  readonly identity: DeliveryIdentity;
}

/** What the delivery engine has to know of an event subscription. */
export interface EventSubscription {
  /** Resource id; compared without case. */
  readonly id: string;
  readonly name: string;
  readonly filter: EventFilter;
  readonly schema: DeliverySchema;
  readonly retry: RetryPolicy;
  readonly destination: Destination;
  readonly identity: DeliveryIdentity;
  readonly deadLetter: DeadLetterTarget | undefined;
}
