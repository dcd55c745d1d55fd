const { app } = require("@azure/functions");

const seen = [];

app.timer("tick", {
  schedule: "%TICK%",
  handler: (timer, context) => seen.push({ name: context.functionName, timer }),
});
app.timer("atStart", {
  schedule: "0 0 0 1 1 *",
  runOnStartup: true,
  handler: (timer, context) => seen.push({ name: context.functionName, timer }),
});
app.timer("yearly", {
  schedule: "0 0 0 1 1 *",
  handler: (timer, context) => seen.push({ name: context.functionName, timer }),
});
app.eventGrid("onEvent", {
  handler: (event, context) => {
    if (event.subject === "bad") throw new Error("a bad event");
    seen.push({ name: context.functionName, event });
  },
});
app.storageBlob("onBlob", { path: "x/{name}", connection: "Nowhere", handler: () => {} });

app.http("seen", {
  route: "seen/{name}",
  methods: ["GET"],
  handler: (request) => ({ jsonBody: seen.filter(({ name }) => name === request.params.name) }),
});
