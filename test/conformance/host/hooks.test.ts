import { TestApp, sharedApp } from "../../local/host/support";

const app = sharedApp("hooks");

it.each([
  ["replaced", 200, "another handler", "preInvocation may put another handler in place"],
  ["inputs", 200, "one more input", "preInvocation may add to the inputs"],
  ["result", 200, "another result", "postInvocation may put another result in place, and sees the hook data"],
  ["rescued", 418, "rescued from: a failure", "postInvocation may take an error away"],
  ["failed", 500, "", "postInvocation may let a function fail"],
  ["stopped", 500, "", "preInvocation may stop a function"],
])("%s: %i %j, for %s (@azure/functions 4.16, hooks)".replace("%s", "GET /%s"), async (name, status, text) => {
  const answer = await app().request("GET", `/${name}`);

  expect({ status: answer.status, text: answer.text }).toEqual({ status, text });
});

it("runs appStart before anything else, and no hook that was disposed (@azure/functions 4.16, hooks)", async () => {
  const steps = await app().json("/logs");

  expect(steps).toEqual(["appStart"]);
});

it("lets a log hook change what is said, and tells it of whom it is (@azure/functions 4.16, app.hook.log)", async () => {
  await app().request("GET", "/logs");
  await app().said(/information: the \*\*\* is out/);
  await app().said(/warning: said by logs, user/);

  expect(app().log).not.toContain("the secret is out");
});

it("runs appTerminate when it is told to stop (@azure/functions 4.16, hooks)", async () => {
  const other = await TestApp.start("hooks");
  const code = await other.kill("SIGTERM");

  expect(code).toBe(0);
  expect(other.log).toContain("hooks: appTerminate");
});
