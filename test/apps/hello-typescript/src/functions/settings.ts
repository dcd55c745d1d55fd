import { app } from "@azure/functions";

app.http("settings", {
  methods: ["GET"],
  handler: () => ({
    jsonBody: { greeting: process.env["GREETING"], runtime: process.env["FUNCTIONS_WORKER_RUNTIME"] },
  }),
});
