const { readdirSync, statSync } = require("node:fs");
const { join } = require("node:path");
const df = require("durable-functions");

/** Fan-out and fan-in: each file is measured by an activity of its own. */
df.app.orchestration("folderSize", function* (context) {
  const folder = context.df.getInput();
  const files = yield context.df.callActivity("listFiles", folder);
  const sizes = yield context.df.Task.all(files.map((file) => context.df.callActivity("sizeOf", file)));
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
});

df.app.activity("listFiles", {
  handler: (folder) => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  },
});

df.app.activity("sizeOf", { handler: (file) => statSync(file).size });
