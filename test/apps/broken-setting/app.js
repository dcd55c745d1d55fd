const { app } = require("@azure/functions");

app.timer("nightly", { schedule: "%NIGHTLY_SCHEDULE%", handler: () => {} });
