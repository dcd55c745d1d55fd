import * as df from "durable-functions";
import { ActivityHandler, OrchestrationContext, OrchestrationHandler } from "durable-functions";

const helloSequence: OrchestrationHandler = function* (context: OrchestrationContext) {
  const said: string[] = [];
  for (const city of ["Tokyo", "Seattle", "Cairo"]) said.push(yield context.df.callActivity("sayHello", city));
  return said;
};
df.app.orchestration("helloSequence", helloSequence);

const sayHello: ActivityHandler = (city: string): string => `Hello, ${city}!`;
df.app.activity("sayHello", { handler: sayHello });
