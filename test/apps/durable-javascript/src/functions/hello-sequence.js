const df = require("durable-functions");

df.app.orchestration("helloSequence", function* (context) {
  const said = [];
  for (const city of ["Tokyo", "Seattle", "Cairo"]) said.push(yield context.df.callActivity("sayHello", city));
  return said;
});

df.app.activity("sayHello", { handler: (city) => `Hello, ${city}!` });
