// Every hook of the programming model, each of them changing what the next one sees.
const { app } = require("@azure/functions");

const steps = [];

app.hook.appStart((context) => {
  context.hookData.startedBy = "appStart";
  steps.push("appStart");
});
app.hook.appTerminate(() => process.stderr.write("hooks: appTerminate\n"));
app.hook.preInvocation((context) => {
  context.hookData.startedAt = Date.now();
  const { functionName } = context.invocationContext;
  if (functionName === "replaced") context.functionHandler = () => ({ body: "another handler" });
  if (functionName === "inputs") context.inputs = [...context.inputs, "one more input"];
  if (functionName === "stopped") throw new Error("stopped by a hook");
});
app.hook.postInvocation((context) => {
  const { functionName } = context.invocationContext;
  if (functionName === "rescued") {
    context.result = { status: 418, body: `rescued from: ${context.error.message}` };
    context.error = null;
  }
  if (functionName === "result" && typeof context.hookData.startedAt === "number")
    context.result = { body: "another result" };
  if (functionName === "failed") context.error = new Error("failed by a hook");
});
const removed = app.hook.preInvocation(() => steps.push("never called"));
removed.dispose();
app.hook.log((context) => {
  if (context.message.includes("secret")) context.message = context.message.replace("secret", "***");
  if (context.message === "who")
    context.message = `said by ${context.invocationContext.functionName}, ${context.category}`;
});

const http = (name, handler) => app.http(name, { methods: ["GET"], handler });
http("replaced", () => ({ body: "its own handler" }));
http("inputs", (...all) => ({ body: all.find((each) => typeof each === "string") ?? "no more input" }));
http("rescued", () => {
  throw new Error("a failure");
});
http("result", () => ({ body: "its own result" }));
http("failed", () => ({ body: "all well" }));
http("stopped", () => ({ body: "not stopped" }));
http("logs", (_request, context) => {
  context.log("the secret is out");
  context.warn("who");
  return { jsonBody: steps };
});
