const { app } = require("@azure/functions");
const df = require("durable-functions");

app.http("start", {
  route: "orchestrators/{name}",
  methods: ["POST"],
  authLevel: "anonymous",
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const text = await request.text();
    const input = text === "" ? undefined : JSON.parse(text);
    const instanceId = await client.startNew(request.params.name, { input });
    context.log(`${request.params.name} was started as ${instanceId}`);
    return client.createCheckStatusResponse(request, instanceId);
  },
});
