import { app } from "@azure/functions";
import * as df from "durable-functions";

df.app.activity("double", { handler: (n) => 2 * n });
df.app.orchestration("doubled", function* (context) {
  return yield context.df.callActivity("double", context.df.getInput());
});
app.http("hello", { methods: ["GET"], handler: () => ({ body: "hello from a module" }) });
