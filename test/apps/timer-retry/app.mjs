// A timer that fails is run again by its retry policy; the run learns how often that was and why.
import { app } from "@azure/functions";

const runs = [];
const yearly = { schedule: "0 0 0 1 1 *", runOnStartup: true };

const failing = (name, failures) => (timer, context) => {
  runs.push({ name, retry: context.retryContext ?? null, isPastDue: timer.isPastDue });
  if (runs.filter((run) => run.name === name).length <= failures) throw new Error(`run ${runs.length} of ${name}`);
};

app.timer("recovers", {
  ...yearly,
  retry: { strategy: "fixedDelay", delayInterval: { seconds: 0 }, maxRetryCount: 4 },
  handler: failing("recovers", 2),
});
app.timer("givesUp", {
  ...yearly,
  retry: { strategy: "exponentialBackoff", minimumInterval: 0, maximumInterval: { seconds: 1 }, maxRetryCount: 2 },
  handler: failing("givesUp", 99),
});
app.timer("noPolicy", { ...yearly, handler: failing("noPolicy", 99) });
app.timer("manual", { schedule: "0 0 0 1 1 *", handler: failing("manual", 0) });
app.http("withPolicy", {
  methods: ["GET"],
  retry: { strategy: "fixedDelay", delayInterval: 0, maxRetryCount: 3 },
  handler: (_request, context) => {
    runs.push({ name: "withPolicy", retry: context.retryContext ?? null });
    throw new Error("over HTTP");
  },
});
app.http("runs", { methods: ["GET"], handler: () => ({ jsonBody: runs }) });
