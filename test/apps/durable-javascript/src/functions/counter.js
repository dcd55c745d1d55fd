const { app } = require("@azure/functions");
const df = require("durable-functions");

df.app.entity("Counter", (context) => {
  const current = context.df.getState(() => 0);
  switch (context.df.operationName) {
    case "add":
      context.df.setState(current + context.df.getInput());
      break;
    case "reset":
      context.df.setState(0);
      break;
    case "get":
      context.df.return(current);
      break;
  }
});

/** Reads a counter and adds as much again. */
df.app.orchestration("doubleCounter", function* (context) {
  const counter = new df.EntityId("Counter", context.df.getInput());
  const value = yield context.df.callEntity(counter, "get");
  yield context.df.callEntity(counter, "add", value);
  return yield context.df.callEntity(counter, "get");
});

app.http("counterHttp", {
  route: "counters/{key}",
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const id = new df.EntityId("Counter", request.params.key);
    if (request.method === "POST") {
      await client.signalEntity(id, "add", Number(request.query.get("amount") ?? 1));
      return { status: 202 };
    }
    const { entityExists, entityState } = await client.readEntityState(id);
    return entityExists ? { jsonBody: entityState } : { status: 404 };
  },
});
