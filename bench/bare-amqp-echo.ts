import type { AddressInfo } from "node:net";
import { create_container, message, types, type EventContext, type Receiver } from "rhea";

/** The smallest AMQP server that a Service Bus client can send to: as a child process, what the machine can do without a broker. */
const container = create_container({ id: "bare-echo" });
const mechanisms = container.sasl_server_mechanisms as { enable_anonymous(): void };
mechanisms.enable_anonymous();

function answerToken({ receiver, message: request, delivery }: EventContext): void {
  delivery?.accept();
  (receiver as Receiver).add_credit(1);
  // The client expects the acknowledgement of its request before the reply.
  setImmediate(() => {
    const reply = {
      correlation_id: request?.message_id,
      application_properties: { "status-code": types.wrap_int(202), "status-description": "Accepted" },
    };
    receiver?.connection.find_sender((link: { name: string }) => link.name === request?.reply_to)?.send(reply as never);
  });
}

container.on("receiver_open", ({ receiver }: EventContext) => {
  if (!receiver) return;
  receiver.set_source(receiver.source);
  receiver.set_target(receiver.target);
  const { attach } = (receiver as unknown as { local: { attach: Record<string, unknown> } }).local;
  attach["max_message_size"] = 256 * 1024;
  receiver.add_credit(1000);
  const isTokenNode = (receiver.target as { address?: string }).address === "$cbs";
  receiver.on("message", (context: EventContext) => {
    if (isTokenNode) {
      answerToken(context);
      return;
    }
    context.delivery?.update(
      true,
      (message as unknown as { accepted(): { described(): never } }).accepted().described(),
    );
    receiver.add_credit(1);
  });
});
container.on("sender_open", ({ sender }: EventContext) => {
  sender?.set_source(sender.source);
  sender?.set_target(sender.target);
});
for (const name of ["error", "protocol_error", "connection_error", "disconnected"]) container.on(name, () => undefined);
const server = container.listen({
  ...{ host: "127.0.0.1", port: 0, idle_time_out: 120_000, max_frame_size: 65_536, tcp_no_delay: true },
  receiver_options: { autoaccept: false, credit_window: 0 },
} as never);
server.once("listening", () => {
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  const connectionString = `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=a;SharedAccessKey=a;UseDevelopmentEmulator=true;`;
  process.send?.({ type: "ready", connectionString });
});
process.on("disconnect", () => process.exit(0));
