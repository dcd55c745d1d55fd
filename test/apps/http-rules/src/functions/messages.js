const { app, HttpResponse } = require("@azure/functions");

app.http("query", {
  methods: ["GET"],
  handler: (request) => ({
    jsonBody: {
      all: [...request.query],
      url: new URL(request.url).searchParams.getAll("tag"),
      host: request.headers.get("host"),
    },
  }),
});
app.http("cookies", {
  methods: ["GET"],
  handler: () => ({
    cookies: [
      {
        name: "session",
        value: "a b;c",
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
        path: "/here",
        domain: "example.org",
      },
      { name: "old", value: "", expires: new Date(1000), sameSite: "None" },
    ],
  }),
});
app.http("form", {
  methods: ["POST"],
  handler: async (request) => ({ jsonBody: Object.fromEntries(await request.formData()) }),
});
app.http("bytes", {
  methods: ["POST"],
  handler: async (request) =>
    new HttpResponse({
      status: 203,
      body: Buffer.from(await request.arrayBuffer()),
      headers: { "content-type": "image/png" },
    }),
});
app.http("wrongResult", { methods: ["GET"], handler: () => "a text, and no response" });
app.http("wait", {
  methods: ["GET"],
  handler: async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { body: "waited" };
  },
});
app.http("quiet", { methods: ["GET"], handler: (_request, context) => context.log("said by the quiet one") });
app.http("any", {
  route: "any/{*rest}",
  methods: ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"],
  handler: async (request) => ({
    jsonBody: { method: request.method, bytes: (await request.arrayBuffer()).byteLength },
  }),
});

app.http("open", { authLevel: "anonymous", methods: ["GET"], handler: () => ({ body: "open" }) });
app.http("locked", { authLevel: "function", methods: ["GET"], handler: () => ({ body: "locked" }) });
app.http("safe", { authLevel: "admin", methods: ["GET"], handler: () => ({ body: "safe" }) });
app.http("off", { authLevel: "function", methods: ["GET"], handler: () => ({ body: "off, but here" }) });
