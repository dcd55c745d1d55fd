import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The smallest server that answers JSON, as a child process: what the machine can do without a Functions host. */
const server = createServer((incoming, outgoing) => {
  incoming.resume();
  incoming.on("end", () => {
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end('{"hello":"nobody"}');
  });
});
server.listen(0, "127.0.0.1", () => {
  // A TCP server's address is never a string.
  process.send?.({ type: "ready", port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
