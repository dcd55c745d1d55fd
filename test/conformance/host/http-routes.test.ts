import { sharedApp } from "../../local/host/support";

const app = sharedApp("http-rules");

async function answerOf(method: string, path: string): Promise<unknown> {
  const { status, text } = await app().request(method, path);
  return status === 200 ? JSON.parse(text) : { status, text };
}

const NOT_FOUND = { status: 404, text: "" };

it.each([
  ["/api/products/tools/12", { name: "product", params: { category: "tools", id: "12" } }],
  ["/api/products/tools", { name: "product", params: { category: "tools" } }],
  ["/api/products/tools/hammer", { name: "productWord", params: { category: "tools", word: "hammer" } }],
  ["/api/products/t00ls", NOT_FOUND],
])(
  "%s meets its constraints alpha and int? (docs: Azure Functions HTTP trigger, route constraints)",
  async (path, expected) => {
    const answer = await answerOf("GET", path);

    expect(answer).toEqual(expected);
  },
);

it.each([
  ["guid", "/api/things/0b5c3c1a-7f6e-4b57-9c55-0f3f8a1f0f11", "/api/things/12"],
  ["range", "/api/pages/9", "/api/pages/10"],
  ["length", "/api/codes/abc", "/api/codes/abcd"],
  ["date", "/api/days/2026-11-25", "/api/days/someday"],
  ["flag", "/api/flags/TRUE", "/api/flags/yes"],
  ["decimal", "/api/prices/12.50", "/api/prices/1e3x"],
])(
  "a route of %s takes what fits its constraint and answers 404 for the rest (docs: ASP.NET Core routing, route constraints)",
  async (name, good, bad) => {
    const taken = await answerOf("GET", good);
    const refused = await answerOf("GET", bad);

    expect(taken).toMatchObject({ name });
    expect(refused).toEqual(NOT_FOUND);
  },
);

it("prefers a literal segment to a constrained one, and that to a plain one (docs: ASP.NET Core routing, route precedence)", async () => {
  const literal = await answerOf("GET", "/api/products/featured/1");
  const constrained = await answerOf("GET", "/api/products/other/1");
  const plain = await answerOf("GET", "/api/products/other/one");

  expect([literal, constrained, plain]).toEqual([
    { name: "featured", params: { id: "1" } },
    { name: "product", params: { category: "other", id: "1" } },
    { name: "productWord", params: { category: "other", word: "one" } },
  ]);
});

it("gives a catch-all parameter the rest of the path, slashes and all (docs: ASP.NET Core routing, catch-all)", async () => {
  const deep = await answerOf("GET", "/api/files/a/b%20c/d.txt");
  const empty = await answerOf("GET", "/api/files");

  expect(deep).toEqual({ name: "rest", params: { path: "a/b c/d.txt" } });
  expect(empty).toEqual({ name: "rest", params: { path: "" } });
});

it("fills a parameter that is missing with its default (docs: ASP.NET Core routing, default values)", async () => {
  const answer = await answerOf("GET", "/api/greet");

  expect(answer).toEqual({ name: "defaulted", params: { who: "world" } });
});

it("picks the function of one route by the method (docs: Azure Functions HTTP trigger, methods)", async () => {
  const read = await answerOf("GET", "/api/thing/1");
  const written = await answerOf("DELETE", "/api/thing/1");
  const other = await answerOf("POST", "/api/thing/1");

  expect([read, written]).toMatchObject([{ name: "readThing" }, { name: "writeThing" }]);
  expect(other).toEqual(NOT_FOUND);
});

it("takes GET and POST where a function names no methods (@azure/functions 4.16, app.http)", async () => {
  const answers = [];
  for (const method of ["GET", "POST", "PUT"]) answers.push(await app().request(method, "/api/defaultMethods"));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
});

it("registers a function by the short form for one method (@azure/functions 4.16, app.get)", async () => {
  const { text } = await app().request("GET", "/api/short");

  expect(text).toBe("GET");
});

it("finds routes whatever the case of the path (docs: ASP.NET Core routing)", async () => {
  const answer = await answerOf("GET", "/API/Products/Featured/7");

  expect(answer).toEqual({ name: "featured", params: { id: "7" } });
});

it.each(["/", "/api", "/api/nowhere", "/other/products/tools/1", "/api/products/tools/1/2", "/api/%E0%A4%A"])(
  "answers %s with an empty 404 (docs: Azure Functions HTTP trigger)",
  async (path) => {
    const answer = await answerOf("GET", path);

    expect(answer).toEqual(NOT_FOUND);
  },
);
