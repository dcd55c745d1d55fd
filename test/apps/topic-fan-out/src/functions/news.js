// One message to a topic reaches every subscription's function.
const { app, output } = require("@azure/functions");

const connection = "Bus";
const news = output.serviceBusTopic({ topicName: "news", connection });
const read = [];

app.http("publish", {
  methods: ["POST"],
  return: output.http({}),
  extraOutputs: [news],
  handler: async (request, context) => {
    context.extraOutputs.set(news, await request.json());
    return { status: 202 };
  },
});

for (const reader of ["archive", "mail"])
  app.serviceBusTopic(reader, {
    connection,
    topicName: "news",
    subscriptionName: `%${reader.toUpperCase()}%`,
    handler: (message) => void read.push({ reader, message }),
  });

app.http("read", { methods: ["GET"], handler: () => ({ jsonBody: read }) });
