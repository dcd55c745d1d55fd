// Bindings and triggers that an app may have and that nothing here carries out.
const { app, input, output, trigger } = require("@azure/functions");

const connection = "AzureWebJobsStorage";
const http = (name, options) => app.http(name, { methods: ["GET"], handler: () => ({ body: name }), ...options });

http("fine", {});
http("readsTable", { extraInputs: [input.table({ tableName: "t", connection })] });
http("writesBlob", { extraOutputs: [output.storageBlob({ path: "c/{rand-guid}", connection, name: "theBlob" })] });
http("switchedOff", {});
app.storageBlob("onBlob", { path: "c/{name}", connection, handler: () => {} });
app.cosmosDB("onChange", { connection: "Cosmos", databaseName: "d", containerName: "c", handler: () => {} });
app.generic("onFile", { trigger: trigger.generic({ type: "apiHubFileTrigger", path: "x" }), handler: () => {} });
app.serviceBusQueue("wantsClient", { connection: "Bus", queueName: "q", sdkBinding: true, handler: () => {} });
