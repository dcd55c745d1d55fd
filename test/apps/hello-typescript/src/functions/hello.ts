import { app } from "@azure/functions";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { greet } from "../greeting.js";

export async function hello(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  context.log(`asked at ${request.url}`);
  const name = request.query.get("name") ?? ((await request.text()) || "world");
  return { body: greet(name) };
}

app.http("hello", { methods: ["GET", "POST"], authLevel: "anonymous", handler: hello });
