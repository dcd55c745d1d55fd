const { existsSync } = require("node:fs");
const df = require("durable-functions");

/** Looks again and again, with a durable timer between, until a file is there or time is up. */
df.app.orchestration("monitor", function* (context) {
  const { file, everyMs, forMs } = context.df.getInput();
  const endsAt = context.df.currentUtcDateTime.getTime() + forMs;
  let looks = 0;
  while (context.df.currentUtcDateTime.getTime() < endsAt) {
    looks += 1;
    context.df.setCustomStatus({ looks });
    if (yield context.df.callActivity("isThere", file)) return { found: true, looks };
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + everyMs));
  }
  return { found: false, looks };
});

df.app.activity("isThere", { handler: (file) => existsSync(file) });
