// Bodies of any size in both directions, none of them held in memory.
const { createHash } = require("node:crypto");
const { app, HttpResponse } = require("@azure/functions");

app.setup({ enableHttpStream: true });

const MIB = 1024 * 1024;

async function* mebibytes(count) {
  for (let part = 0; part < count * 16; part += 1) yield Buffer.alloc(64 * 1024, "stream");
}

app.http("upload", {
  methods: ["POST"],
  handler: async (request) => {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of request.body ?? []) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { jsonBody: { bytes, sha256: hash.digest("hex") } };
  },
});
app.http("download", {
  route: "download/{mebibytes:int}",
  methods: ["GET"],
  handler: (request) => {
    const count = Number(request.params.mebibytes);
    return { body: mebibytes(count), headers: { "content-length": String(count * MIB), "x-kind": "generated" } };
  },
});
app.http("echo", {
  methods: ["POST"],
  handler: (request) =>
    new HttpResponse({
      status: 201,
      body: request.body,
      headers: { "content-type": request.headers.get("content-type") ?? "" },
    }),
});
app.http("facts", {
  route: "facts/{name}",
  methods: ["GET", "POST"],
  handler: (request) => ({
    jsonBody: {
      url: request.url,
      name: request.params.name,
      tags: request.query.getAll("tag"),
      custom: request.headers.get("x-custom"),
      user: request.user,
    },
    cookies: [{ name: "seen", value: "yes" }],
  }),
});
app.http("throws", {
  methods: ["POST"],
  handler: () => {
    throw new Error("before any answer");
  },
});
app.http("breaks", {
  methods: ["GET"],
  handler: () => ({
    body: (async function* () {
      yield Buffer.alloc(4 * MIB);
      throw new Error("in the middle of an answer");
    })(),
  }),
});
app.http("nothing", { methods: ["GET"], handler: () => undefined });
app.http("unread", { methods: ["POST"], handler: () => ({ status: 202, body: "not read" }) });
