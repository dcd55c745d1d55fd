const { app, output } = require("@azure/functions");

const connection = "Bus";
const single = output.serviceBusQueue({ queueName: "single", connection });
const batch = output.serviceBusQueue({ queueName: "batch", connection });

const seen = [];

app.http("send", {
  methods: ["POST"],
  extraOutputs: [single, batch],
  handler: async (request, context) => {
    const wanted = await request.json();
    if (wanted.single !== undefined) context.extraOutputs.set(single, wanted.single);
    if (wanted.batch !== undefined) context.extraOutputs.set(batch, wanted.batch);
    return { status: 202 };
  },
});

app.serviceBusQueue("one", {
  connection,
  queueName: "single",
  handler: (message, context) => void seen.push({ by: "one", message, metadata: context.triggerMetadata }),
});
app.serviceBusQueue("many", {
  connection,
  queueName: "batch",
  cardinality: "many",
  handler: (messages, context) => {
    seen.push({ by: "many", messages, metadata: context.triggerMetadata });
    if (messages.some((message) => message.fails)) throw new Error("a batch that cannot be handled");
  },
});

app.http("seen", {
  route: "seen/{by}",
  methods: ["GET"],
  handler: (request) => ({ jsonBody: seen.filter(({ by }) => by === request.params.by) }),
});
