// Every method of the durable client over HTTP: the body holds the arguments, the answer is what the method gave.
const { app } = require("@azure/functions");
const df = require("durable-functions");

const ENTITY_METHODS = new Set(["signalEntity", "readEntityState"]);

function argumentsOf(method, args) {
  if (!ENTITY_METHODS.has(method)) return args;
  const [{ name, key }, ...rest] = args;
  return [new df.EntityId(name, key), ...rest];
}

function revive(key, value) {
  return /^createdTime/.test(key) ? new Date(value) : value;
}

df.app.client.http("client", {
  route: "client/{method}",
  methods: ["POST"],
  handler: async (request, client) => {
    const { method } = request.params;
    try {
      const args = JSON.parse(await request.text(), revive);
      const value = await client[method](...argumentsOf(method, args));
      return { jsonBody: { value: value ?? null } };
    } catch (error) {
      return { jsonBody: { error: error.message } };
    }
  },
});

df.app.client.http("waitForEnd", {
  route: "wait/{id}",
  methods: ["POST"],
  handler: async (request, client) =>
    client.waitForCompletionOrCreateCheckStatusResponse(request, request.params.id, await request.json()),
});

df.app.client.http("check", {
  route: "check/{id}",
  methods: ["POST"],
  handler: (request, client) => client.createCheckStatusResponse(request, request.params.id),
});

// The same client without the address that spares it the key: it then uses the links of the webhook, as older hosts have it.
df.app.client.http("webhookClient", {
  route: "webhook-client/{method}",
  methods: ["POST"],
  handler: async (request, client) => {
    const { method } = request.params;
    client.clientData.rpcBaseUrl = undefined;
    try {
      const args = JSON.parse(await request.text(), revive);
      return { jsonBody: { value: (await client[method](...argumentsOf(method, args))) ?? null } };
    } catch (error) {
      return { jsonBody: { error: error.message } };
    }
  },
});

app.http("ping", { handler: () => ({ body: "pong" }) });
