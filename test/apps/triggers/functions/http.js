const { app, HttpResponse } = require("@azure/functions");

const answer = (name) => (request) => ({ jsonBody: { name, params: request.params } });

app.http("root", { route: "/", methods: ["GET"], handler: answer("root") });
app.http("job", { route: "api/orgs/{org}/jobs/{jobId}", methods: ["GET", "PUT"], handler: answer("job") });
app.http("cancel", { route: "api/orgs/{org}/jobs/{jobId}:cancel", methods: ["POST"], handler: answer("cancel") });
app.http("special", { route: "api/orgs/{org}/jobs/special", methods: ["GET"], handler: answer("special") });
app.http("number", { route: "api/numbers/{n:int}", methods: ["GET"], handler: answer("number") });
app.http("word", { route: "api/numbers/{word}", methods: ["GET"], handler: answer("word") });
app.http("rest", { route: "files/{*rest}", methods: ["GET"], handler: answer("rest") });
app.http("guarded", { route: "guarded", authLevel: "function", methods: ["GET"], handler: answer("guarded") });
app.http("greeting", { route: "greeting", methods: ["GET"], handler: () => ({ body: process.env.GREETING }) });
app.http("echo", {
  route: "echo",
  methods: ["POST"],
  handler: async (request) => {
    const response = new HttpResponse({
      status: 201,
      body: Buffer.from(await request.arrayBuffer()),
      headers: { "x-type": request.headers.get("content-type") },
    });
    response.cookies.push({ name: "a", value: "b c", httpOnly: true, sameSite: "Strict", maxAge: 60 });
    return response;
  },
});
app.http("whoami", { route: "whoami", methods: ["GET"], handler: (request) => ({ jsonBody: { user: request.user } }) });
app.http("nothing", { route: "nothing", methods: ["GET"], handler: () => undefined });
app.http("throws", {
  route: "throws",
  methods: ["GET"],
  handler: () => {
    throw new Error("broken function");
  },
});
app.http("crash", {
  route: "crash",
  methods: ["POST"],
  handler: () => {
    setImmediate(() => {
      throw new Error("outside every handler");
    });
    return { body: "crashing" };
  },
});
app.http("endless", { route: "endless", methods: ["GET"], handler: () => new Promise(() => {}) });
app.http("slow", {
  route: "slow",
  methods: ["GET"],
  handler: async (_request, context) => {
    context.log("slow began");
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { body: "slow but done" };
  },
});
