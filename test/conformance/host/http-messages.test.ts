import { sharedApp } from "../../local/host/support";

const app = sharedApp("http-rules", { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "1000000" } });

it("joins the values of a query key that comes twice by a comma, while the URL keeps both (Azure/azure-functions-nodejs-library issue 168)", async () => {
  const { text } = await app().request("GET", "/api/query?tag=a&tag=b%26c&Tag=d&empty=&plus=1+2");
  const { all, url } = JSON.parse(text) as { all: [string, string][]; url: string[] };

  expect(Object.fromEntries(all)).toEqual({ tag: "a,b&c,d", empty: "", plus: "1 2" });
  expect(url).toEqual(["a", "b&c"]);
});

it("writes cookies with all their attributes, each in a header of its own (@azure/functions 4.16, Cookie)", async () => {
  const { headers } = await app().request("GET", "/api/cookies");
  const [session = "", old = ""] = headers.getSetCookie();

  expect(session.split("; ").sort()).toEqual(
    ["session=a%20b%3Bc", "domain=example.org", "path=/here", "secure", "samesite=lax", "httponly"].sort(),
  );
  expect(old.toLowerCase()).toContain("expires=thu, 01 jan 1970 00:00:01 gmt");
  expect(old.toLowerCase()).toContain("samesite=none");
});

it("hands over a form (@azure/functions 4.16, HttpRequest.formData)", async () => {
  const body = new URLSearchParams({ name: "Ada", city: "Tübingen" }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { text } = await app().request("POST", "/api/form", { body, headers });

  expect(JSON.parse(text)).toEqual({ name: "Ada", city: "Tübingen" });
});

it("carries bytes that are no text both ways (@azure/functions 4.16, HttpResponse)", async () => {
  const body = Uint8Array.from({ length: 256 }, (_value, index) => index);
  const response = await fetch(`http://127.0.0.1:${app().port}/api/bytes`, { method: "POST", body });

  expect(new Uint8Array(await response.arrayBuffer())).toEqual(body);
  expect([response.status, response.headers.get("content-type")]).toEqual([203, "image/png"]);
});

it("adds the custom headers of host.json to answers (docs: host.json reference, customHeaders)", async () => {
  const { headers } = await app().request("GET", "/api/open");

  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

it("answers 500 when a function gives something that is no response, and says why in its log (@azure/functions 4.16, toRpcHttp)", async () => {
  const { status, text } = await app().request("GET", "/api/wrongResult");
  const [said] = await app().said(/The HTTP response must be an object.*/);

  expect({ status, text }).toEqual({ status: 500, text: "" });
  expect(said).toContain("optional properties");
});

it.each(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "lets a function take %s and its body (docs: Azure Functions HTTP trigger, methods)",
  async (method) => {
    const { status, text } = await app().request(method, "/api/any/x", method === "GET" ? {} : { body: "12345" });

    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ method, bytes: method === "GET" ? 0 : 5 });
  },
);

it("answers HEAD without a body (RFC 9110, HEAD)", async () => {
  const { status, text } = await app().request("HEAD", "/api/any/x");

  expect({ status, text }).toEqual({ status: 200, text: "" });
});

it("refuses a body over the limit that a setting gives (docs: App settings reference, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT)", async () => {
  const small = await app().request("POST", "/api/bytes", { body: new Uint8Array(1) });
  const large = await fetch(`http://127.0.0.1:${app().port}/api/bytes`, {
    method: "POST",
    body: new Uint8Array(1_000_001),
  }).catch(() => undefined);

  expect(small.status).toBe(203);
  // The connection may be closed before all is sent: then there is no answer to read.
  expect([413, undefined]).toContain(large?.status);
});

it("writes what the real host writes when a function begins and ends (azure-webjobs-sdk, function log messages)", async () => {
  await app().request("GET", "/api/short");
  const [, id] = await app().said(
    /Executing 'Functions\.short' \(Reason='This function was programmatically called via the host APIs\.', Id=([0-9a-f-]{36})\)/,
  );
  const [, duration] = await app().said(
    new RegExp(`Executed 'Functions\\.short' \\(Succeeded, Id=${id ?? ""}, Duration=(\\d+)ms\\)`),
  );

  expect(Number(duration)).toBeGreaterThanOrEqual(0);
});

it("keeps a function's category as quiet as host.json wants it (docs: Configure monitoring, log levels)", async () => {
  await app().request("GET", "/api/quiet");
  await app().request("GET", "/api/short?after=quiet");
  await app().said(/Executed 'Functions\.short'/);

  expect(app().log).not.toMatch(/Functions\.quiet|said by the quiet one/);
});
