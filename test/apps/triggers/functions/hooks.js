const { app } = require("@azure/functions");

app.hook.appStart(() => console.error("hook appStart"));
app.hook.appTerminate(() => console.error("hook appTerminate"));
app.hook.preInvocation((context) => {
  if (context.invocationContext.functionName === "hooked") context.inputs[1] = "an input of the hook";
  context.hookData.began = true;
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === "hooked")
    context.result = { body: `${context.result.body}, began ${context.hookData.began}` };
});

app.hook.log((context) => {
  if (context.message === "said at debug") context.level = "warning";
});

app.http("chatty", {
  route: "chatty",
  methods: ["GET"],
  handler: (_request, context) => {
    context.debug("said at debug");
    context.debug("never shown");
    return { body: "ok" };
  },
});
app.http("hooked", { route: "hooked", methods: ["GET"], handler: (_request, extra) => ({ body: String(extra) }) });
