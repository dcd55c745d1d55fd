import type { PendingDelivery } from "./delivery-store";
import { fieldOf } from "./event-filter";
import type { DeliveryAttribute, EventSubscription } from "./event-subscription";
import type { GridEvent } from "./grid-event";

const MAX_VALUE_BYTES = 4096;

/** What goes with each event, as headers of a webhook and as properties of a message. */
export function systemProperties(
  { name, schema }: Pick<EventSubscription, "name" | "schema">,
  { event, messageId, attempts }: Pick<PendingDelivery, "event" | "messageId" | "attempts">,
): Record<string, string> {
  const isCloudEvent = schema === "CloudEventSchemaV1_0";
  return {
    "aeg-event-type": "Notification",
    "aeg-subscription-name": name.toUpperCase(),
    // The real service counts from zero: how often the event was tried before.
    "aeg-delivery-count": String(attempts),
    "aeg-metadata-version": isCloudEvent ? "1.0" : "1",
    ...(isCloudEvent ? {} : { "aeg-data-version": event.dataVersion }),
    "aeg-output-event-id": messageId,
  };
}

/** The subscription's own properties; a field that the event lacks, or that is no plain value, gives none. */
export function customProperties(attributes: readonly DeliveryAttribute[], event: GridEvent): Record<string, string> {
  return Object.fromEntries(
    attributes.flatMap(({ name, value, sourceField }) => {
      const found = value ?? (sourceField === undefined ? undefined : fieldOf(event, sourceField));
      if (typeof found !== "string" && typeof found !== "number" && typeof found !== "boolean") return [];
      const text = String(found);
      return Buffer.byteLength(text) > MAX_VALUE_BYTES ? [] : [[name, text]];
    }),
  );
}

const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Values that no header can carry are left out, as Event Grid does with those that do not conform. */
export function conformantHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => HEADER_VALUE.test(value)));
}
