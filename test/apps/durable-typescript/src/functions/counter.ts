import { app, HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { EntityContext, EntityHandler, OrchestrationContext, OrchestrationHandler } from "durable-functions";

const counterEntity: EntityHandler<number> = (context: EntityContext<number>) => {
  const current = context.df.getState(() => 0) ?? 0;
  switch (context.df.operationName) {
    case "add":
      context.df.setState(current + (context.df.getInput<number>() ?? 0));
      break;
    case "reset":
      context.df.setState(0);
      break;
    case "get":
      context.df.return(current);
      break;
  }
};
df.app.entity("Counter", counterEntity);

/** Reads a counter and adds as much again. */
const doubleCounter: OrchestrationHandler = function* (context: OrchestrationContext) {
  const counter = new df.EntityId("Counter", context.df.getInput<string>()!);
  const value: number = yield context.df.callEntity(counter, "get");
  yield context.df.callEntity(counter, "add", value);
  return yield context.df.callEntity(counter, "get");
};
df.app.orchestration("doubleCounter", doubleCounter);

const counter: HttpHandler = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
  const client = df.getClient(context);
  const id = new df.EntityId("Counter", request.params.key);
  if (request.method === "POST") {
    await client.signalEntity(id, "add", Number(request.query.get("amount") ?? 1));
    return { status: 202 };
  }
  const { entityExists, entityState } = await client.readEntityState<number>(id);
  return entityExists ? { jsonBody: entityState } : { status: 404 };
};
app.http("counterHttp", {
  route: "counters/{key}",
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  extraInputs: [df.input.durableClient()],
  handler: counter,
});
