import { message as amqpMessage, types, type Connection, type EventContext, type Receiver, type Sender } from "rhea";
import { sendSettled, settleReceived } from "./rhea-internals";

/** A request to `$cbs` or `$management`: a message with an operation among its application properties. */
export interface AmqpRequest {
  readonly operation: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface AmqpReply {
  readonly status: number;
  readonly description: string;
  readonly errorCondition?: string;
  readonly body?: unknown;
}

/** How the two request nodes spell the status in their replies. */
export type ReplySpelling = { readonly status: string; readonly description: string };

export interface RequestNode {
  readonly spelling: ReplySpelling;
  handle(request: AmqpRequest): Promise<AmqpReply> | AmqpReply;
  readonly log: (line: string) => void;
}

/** Serves the requests that arrive on a link; the reply goes out on the link that the client opened for it. */
export function serveRequests(receiver: Receiver, node: RequestNode): void {
  receiver.add_credit(requestCredit);
  receiver.on("message", (context: EventContext) => {
    if (context.delivery) settleReceived(context.delivery);
    receiver.add_credit(1);
    // Clients count on the acknowledgement of the request coming before the reply, and rhea writes transfers first.
    setImmediate(() => {
      answer(receiver, node, context.message as unknown as Buffer).catch((error: unknown) =>
        node.log(`service bus: a request could not be answered: ${String(error)}`),
      );
    });
  });
}

const requestCredit = 100;

/** The fields of a decoded request that are read here. */
interface RequestMessage {
  readonly message_id?: unknown;
  readonly reply_to?: string;
  readonly application_properties?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

async function answer(receiver: Receiver, node: RequestNode, payload: Buffer): Promise<void> {
  // Bytes that are no message have nobody who could be answered.
  const request = amqpMessage.decode(payload) as RequestMessage;
  const reply = await replyTo(request, node);
  const sender = replyLink(receiver, request);
  if (!sender) {
    node.log("service bus: a request came without a link for its reply");
    return;
  }
  const encoded = amqpMessage.encode({
    correlation_id: request.message_id,
    application_properties: {
      [node.spelling.status]: types.wrap_int(reply.status),
      [node.spelling.description]: reply.description,
      ...(reply.errorCondition !== undefined && { errorCondition: types.wrap_symbol(reply.errorCondition) }),
    },
    body: reply.body,
  });
  sendSettled(sender, encoded);
}

async function replyTo(request: RequestMessage, node: RequestNode): Promise<AmqpReply> {
  const { body } = request;
  const properties = request.application_properties ?? {};
  const operation = properties["operation"];
  if (typeof operation !== "string")
    return { status: 400, description: "The request has no operation.", errorCondition: "amqp:decode-error" };
  try {
    return await node.handle({ operation, properties, body });
  } catch (error) {
    node.log(
      `service bus: ${operation} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return { status: 500, description: String(error), errorCondition: "amqp:internal-error" };
  }
}

/** The JavaScript client names its reply link; others open one on the session of their request link and name nothing. */
function replyLink(receiver: Receiver, request: RequestMessage): Sender | undefined {
  const { reply_to: replyTo } = request;
  const named = (sender: Sender) => replyTo !== undefined && (sender.name === replyTo || addressOf(sender) === replyTo);
  const connection: Connection = receiver.connection;
  return connection.find_sender(named) ?? receiver.session.find_sender((sender: Sender) => sender.is_open());
}

function addressOf(sender: Sender): string | undefined {
  return (sender.target as { address?: string } | undefined)?.address;
}
