const { app } = require("@azure/functions");

const seen = [];

app.serviceBusQueue("onMessage", {
  queueName: "%QUEUE%",
  connection: "Bus",
  handler: (message, context) => {
    const { messageId, deliveryCount } = context.triggerMetadata;
    seen.push({ message, messageId, deliveryCount });
    if (message.fails) throw new Error("a message that cannot be handled");
  },
});

app.http("seen", { route: "seen", methods: ["GET"], handler: () => ({ jsonBody: seen }) });
