const df = require("durable-functions");

/** A code is sent out; a person has some time to answer with it. */
df.app.orchestration("verification", function* (context) {
  const { seconds } = context.df.getInput();
  const code = yield context.df.callActivity("makeCode", context.df.instanceId);
  const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
  const answer = context.df.waitForExternalEvent("answer");
  const winner = yield context.df.Task.any([answer, deadline]);
  if (winner === deadline) return { verified: false, why: "too late" };
  deadline.cancel();
  return { verified: answer.result === code, why: "answered" };
});

// Whoever receives the code can work it out; a real application would send it by text message.
df.app.activity("makeCode", { handler: (instanceId) => instanceId.slice(0, 4) });
