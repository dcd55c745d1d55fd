import type { RegisteredFunction } from "../../../local/host/core-api";
import { parseTemplate } from "../../../local/host/route-template";
import { Router, routeOf } from "../../../local/host/router";

function routerOf(...routes: readonly string[]): Router {
  return new Router(
    routes.map((text) => {
      const [route = "", methods = ""] = text.split(" ");
      const fn: RegisteredFunction = { metadata: { name: text, bindings: {} }, callback: () => undefined };
      return routeOf(fn, { route, ...(methods !== "" && { methods: methods.split(",") }) }, { routePrefix: "api" });
    }),
  );
}

function found(router: Router, method: string, path: string): unknown {
  const match = router.find(method, path);
  return match && { route: match.route.fn.metadata.name, ...match.params };
}

const router = routerOf(
  "orgs/{org}/jobs/{jobId}",
  "orgs/{org}/jobs/{jobId}:cancel",
  "orgs/{org}/jobs/special",
  "orgs/{org}/jobs/{n:int}",
  "orgs/{org} GET",
  "orgs/{org} PUT,DELETE",
  "pages/{name?}",
  "shelf/{name=top}",
  "files/{*rest}",
  "codes/{code:regex(^a\\d{{2}}$)}",
  "sizes/{w:range(1,9)}x{h}",
  "ids/{id:guid}",
  "words/{word:alpha:minlength(3)}",
);

it.each([
  ["GET", "/api/orgs/acme/jobs/j1", { route: "orgs/{org}/jobs/{jobId}", org: "acme", jobId: "j1" }],
  ["POST", "/api/orgs/acme/jobs/j1:cancel", { route: "orgs/{org}/jobs/{jobId}:cancel", org: "acme", jobId: "j1" }],
  ["POST", "/api/orgs/acme/jobs/a%3Ab:CANCEL", { route: "orgs/{org}/jobs/{jobId}:cancel", org: "acme", jobId: "a:b" }],
  ["GET", "/api/orgs/acme/jobs/special", { route: "orgs/{org}/jobs/special", org: "acme" }],
  ["GET", "/api/orgs/acme/jobs/12", { route: "orgs/{org}/jobs/{n:int}", org: "acme", n: "12" }],
  ["GET", "/API/ORGS/Acme", { route: "orgs/{org} GET", org: "Acme" }],
  ["DELETE", "/api/orgs/acme/", { route: "orgs/{org} PUT,DELETE", org: "acme" }],
  ["POST", "/api/orgs/acme", undefined],
  ["GET", "/api/pages", { route: "pages/{name?}" }],
  ["GET", "/api/pages/a%20b", { route: "pages/{name?}", name: "a b" }],
  ["GET", "/api/pages/a/b", undefined],
  ["GET", "/api/files", { route: "files/{*rest}", rest: "" }],
  ["GET", "/api/files/a/b%20c.txt", { route: "files/{*rest}", rest: "a/b c.txt" }],
  ["GET", "/api/codes/a12", { route: "codes/{code:regex(^a\\d{{2}}$)}", code: "a12" }],
  ["GET", "/api/codes/a1", undefined],
  ["GET", "/api/sizes/4x30", { route: "sizes/{w:range(1,9)}x{h}", w: "4", h: "30" }],
  ["GET", "/api/sizes/10x30", undefined],
  [
    "GET",
    "/api/ids/0f8fad5b-d9cb-469f-a165-70867728950e",
    { route: "ids/{id:guid}", id: "0f8fad5b-d9cb-469f-a165-70867728950e" },
  ],
  ["GET", "/api/ids/12", undefined],
  ["GET", "/api/words/ab", undefined],
  ["GET", "/api/words/abc", { route: "words/{word:alpha:minlength(3)}", word: "abc" }],
  ["GET", "/api/orgs/%E0%A4%A", undefined],
  ["GET", "/elsewhere", undefined],
])("takes %s %s to the most specific route", (method, path, expected) => {
  const match = found(router, method, path);

  expect(match).toEqual(expected);
});

it("gives a parameter its default when the path has none", () => {
  const match = router.find("GET", "/api/shelf");

  expect(match?.params).toEqual({ name: "top" });
});

it.each(["a/{unclosed", "a/{x:nonsense}", "a/{}"])("refuses the bad template %s", (route) => {
  expect(() => parseTemplate(route)).toThrow(/route/);
});

it("takes the empty path to a root route without prefix", () => {
  const fn: RegisteredFunction = { metadata: { name: "page", bindings: {} }, callback: () => undefined };
  const root = new Router([routeOf(fn, { route: "/" }, { routePrefix: "" })]);

  expect(root.find("GET", "/")?.route.fn).toBe(fn);
});
