import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as df from "durable-functions";
import { OrchestrationContext, OrchestrationHandler, Task } from "durable-functions";

/** Fan-out and fan-in: each file is measured by an activity of its own. */
const folderSize: OrchestrationHandler = function* (context: OrchestrationContext): Generator<Task, unknown, any> {
  const folder: string = context.df.getInput();
  const files: string[] = yield context.df.callActivity("listFiles", folder);
  const sizes: number[] = yield context.df.Task.all(files.map((file) => context.df.callActivity("sizeOf", file)));
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
};
df.app.orchestration("folderSize", folderSize);

df.app.activity("listFiles", {
  handler: (folder: string): string[] => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  },
});

df.app.activity("sizeOf", { handler: (file: string): number => statSync(file).size });
