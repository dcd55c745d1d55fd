import { TestApp, endAppsAfterEach } from "../../local/host/support";
import { appOf, compiledApp } from "./app-folder";

endAppsAfterEach();

const HELLO = `const { app } = require("@azure/functions");
app.http("hello", { methods: ["GET"], handler: () => ({ body: process.env.GREETING ?? "hello" }) });`;
const PACKAGE = { name: "app", private: true, main: "app.js" };

async function helloOf(app: TestApp, path = "/api/hello"): Promise<string> {
  return (await app.request("GET", path)).text;
}

it("runs a TypeScript app of ES modules as tsc compiled it, its main a glob (docs: Azure Functions Node.js developer guide, folder structure)", async () => {
  const app = await TestApp.start(compiledApp("hello-typescript"), { env: { GREETING: "hi" } });
  const named = await app.request("GET", "/api/hello?name=Ada");
  const posted = await app.request("POST", "/api/hello", { body: "Grace" });
  const settings = await app.json("/api/settings");

  expect([named.text, posted.text]).toEqual(["Hello, Ada!", "Hello, Grace!"]);
  expect(settings).toEqual({ greeting: "hi", runtime: "node" });
  await app.said(/\[hello [0-9a-f-]{36}\] information: asked at http:/);
});

it("takes settings from local.settings.json, comments, byte order mark and all (docs: Code and test Azure Functions locally, local settings file)", async () => {
  const settings =
    '\uFEFF{ // for this machine\n "IsEncrypted": false, "Values": { "GREETING": "from // the file", }, }';
  const folder = appOf({ "package.json": PACKAGE, "app.js": HELLO, "local.settings.json": settings });
  const app = await TestApp.start(folder);

  expect(await helloOf(app)).toBe("from // the file");
});

it("prefers the environment to local.settings.json (docs: Code and test Azure Functions locally)", async () => {
  const settings = { IsEncrypted: false, Values: { GREETING: "file" } };
  const folder = appOf({ "package.json": PACKAGE, "app.js": HELLO, "local.settings.json": settings });
  const app = await TestApp.start(folder, { env: { GREETING: "environment" } });

  expect(await helloOf(app)).toBe("environment");
});

it("refuses encrypted settings in one line that says what to do (docs: func settings decrypt)", async () => {
  const settings = { IsEncrypted: true, Values: { GREETING: "AAAA" } };
  const app = TestApp.launch(appOf({ "package.json": PACKAGE, "app.js": HELLO, "local.settings.json": settings }));
  const code = await app.exit();

  expect(code).toBe(1);
  expect(app.log).toContain("func settings decrypt");
});

it("lets a setting override host.json (docs: host.json reference, override host.json values)", async () => {
  const app = await TestApp.start(appOf({ "package.json": PACKAGE, "app.js": HELLO }), {
    env: { AzureFunctionsJobHost__extensions__http__routePrefix: "v2" },
  });
  const there = await helloOf(app, "/v2/hello");
  const { status } = await app.request("GET", "/api/hello");

  expect([there, status]).toEqual(["hello", 404]);
});

it("loads only the functions that host.json lists (docs: host.json reference, functions)", async () => {
  const two = `${HELLO} app.http("other", { methods: ["GET"], handler: () => ({ body: "other" }) });`;
  const folder = appOf({
    ...{ "package.json": PACKAGE, "app.js": two },
    "host.json": { version: "2.0", functions: ["other"] },
  });
  const app = await TestApp.start(folder);
  const { status } = await app.request("GET", "/api/hello");

  expect(status).toBe(404);
  expect(await helloOf(app, "/api/other")).toBe("other");
});

it.each([
  ["app.mjs", { main: "app.mjs" }],
  ["app.js", { main: "app.js", type: "module" }],
  ["src/functions/app.mjs", { main: "src/{index.js,functions/*.mjs}" }],
])("loads %s as an ES module (docs: Azure Functions Node.js developer guide, ES modules)", async (file, manifest) => {
  const source = `import { app } from "@azure/functions";
await Promise.resolve();
app.http("hello", { methods: ["GET"], handler: () => ({ body: "from a module" }) });`;
  const app = await TestApp.start(appOf({ "package.json": { ...PACKAGE, ...manifest }, [file]: source }));

  expect(await helloOf(app)).toBe("from a module");
});

it("loads an app of CommonJS files beside ES modules (docs: Azure Functions Node.js developer guide, ES modules)", async () => {
  const module = `import { app } from "@azure/functions";
app.http("second", { methods: ["GET"], handler: () => ({ body: "second" }) });`;
  const folder = appOf({
    "package.json": { ...PACKAGE, main: "functions/*" },
    ...{ "functions/a.cjs": HELLO, "functions/b.mjs": module },
  });
  const app = await TestApp.start(folder);

  expect([await helloOf(app), await helloOf(app, "/api/second")]).toEqual(["hello", "second"]);
});

it("says at the start which functions it has, with methods and URLs (docs: Code and test Azure Functions locally, run functions)", async () => {
  const app = await TestApp.start("refused", { env: { "AzureWebJobs.switchedOff.Disabled": "1" } });
  await app.said(/Host lock lease acquired by instance ID '[0-9A-F]{32}'\./);
  await app.said(/Functions:\n/);

  expect(await app.said(new RegExp(`fine: \\[GET\\] http://localhost:${app.port}/fine`))).toBeTruthy();
  expect(await app.said(/onChange: cosmosDBTrigger/)).toBeTruthy();
});

it("warns of triggers that it does not know and runs the rest (docs: Supported bindings)", async () => {
  const app = await TestApp.start("refused");
  const { text } = await app.request("GET", "/fine");

  expect(text).toBe("fine");
  for (const [name, type] of [
    ["onBlob", "blobTrigger"],
    ["onChange", "cosmosDBTrigger"],
    ["onFile", "apiHubFileTrigger"],
  ])
    await app.said(
      new RegExp(`Function '${name ?? ""}' never fires here: this host has no trigger of type ${type ?? ""}`),
    );
});

it("refuses a function with a binding that it does not carry out, naming both (docs: Supported bindings)", async () => {
  const app = await TestApp.start("refused");
  const statuses = [];
  for (const name of ["readsTable", "writesBlob"]) statuses.push((await app.request("GET", `/${name}`)).status);

  expect(statuses).toEqual([404, 404]);
  await app.said(/The 'readsTable' function is in error: the input binding '[^']+' is of type 'table'/);
  await app.said(/The 'writesBlob' function is in error: the output binding 'theBlob' is of type 'blob'/);
  await app.said(/The 'wantsClient' function is in error: the binding '[^']+' asks for a type of the service's client/);
});

it.each(["AzureWebJobs.switchedOff.Disabled", "AzureWebJobs_switchedOff_Disabled"])(
  "does not run a function that %s disables (docs: How to disable functions in Azure Functions)",
  async (setting) => {
    const app = await TestApp.start("refused", { env: { [setting]: "true" } });
    const { status, text } = await app.request("GET", "/switchedOff");

    expect({ status, text }).toEqual({ status: 404, text: "" });
    await app.said(/Function 'Functions\.switchedOff' is disabled\./);
  },
);

it("answers 429 beyond maxOutstandingRequests (docs: Azure Functions HTTP triggers and bindings, host.json settings)", async () => {
  const app = await TestApp.start("http-rules", {
    env: { AzureFunctionsJobHost__extensions__http__maxOutstandingRequests: "5" },
  });
  const answers = await Promise.all(Array.from({ length: 12 }, () => app.request("GET", "/api/wait")));
  const after = await app.request("GET", "/api/wait");
  const statuses = answers.map(({ status }) => status).sort();

  expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(7).fill(429)]);
  expect(after.status).toBe(200);
});

it("listens where local.settings.json says when no port is given (docs: Code and test Azure Functions locally, LocalHttpPort)", async () => {
  const probe = await TestApp.start("http-rules");
  const { port } = probe;
  await probe.kill("SIGTERM");
  const settings = { IsEncrypted: false, Values: {}, Host: { LocalHttpPort: port } };
  const folder = appOf({ "package.json": PACKAGE, "app.js": HELLO, "local.settings.json": settings });
  const app = await TestApp.start(folder, { port: undefined });

  expect(app.port).toBe(port);
});
