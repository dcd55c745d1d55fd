import { app, HttpHandler, HttpRequest, HttpResponse, InvocationContext } from "@azure/functions";
import * as df from "durable-functions";

const start: HttpHandler = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponse> => {
  const client = df.getClient(context);
  const text = await request.text();
  const input: unknown = text === "" ? undefined : JSON.parse(text);
  const instanceId = await client.startNew(request.params.name, { input });
  context.log(`${request.params.name} was started as ${instanceId}`);
  return client.createCheckStatusResponse(request, instanceId);
};

app.http("start", {
  route: "orchestrators/{name}",
  methods: ["POST"],
  authLevel: "anonymous",
  extraInputs: [df.input.durableClient()],
  handler: start,
});
