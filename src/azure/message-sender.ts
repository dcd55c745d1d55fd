import type { ServiceBusClient, ServiceBusSender } from "@azure/service-bus";

/** A message as the app sends it. */
export interface OutgoingMessage {
  readonly body: unknown;
  readonly messageId?: string;
  readonly contentType?: string;
  readonly applicationProperties?: Readonly<Record<string, string>>;
}

export interface MessageSender {
  send(message: OutgoingMessage): Promise<void>;
}

/** One queue of Service Bus; the link is opened with the first message and kept. */
export class QueueSender implements MessageSender {
  private sender: ServiceBusSender | undefined;

  constructor(
    private readonly client: ServiceBusClient,
    private readonly queueName: string,
  ) {}

  async send(message: OutgoingMessage): Promise<void> {
    this.sender ??= this.client.createSender(this.queueName);
    await this.sender.sendMessages({
      ...message,
      ...(message.applicationProperties && { applicationProperties: { ...message.applicationProperties } }),
    });
  }
}
