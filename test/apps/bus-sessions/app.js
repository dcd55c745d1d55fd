// Messages of one session are handled in their order, one after the other; sessions beside each other.
const { app } = require("@azure/functions");

const seen = [];

app.serviceBusQueue("inOrder", {
  connection: "Bus",
  queueName: "conversations",
  isSessionsEnabled: true,
  handler: async (message, context) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push({ session: context.triggerMetadata.sessionId, n: message.n });
  },
});

app.http("seen", { methods: ["GET"], handler: () => ({ jsonBody: seen }) });
