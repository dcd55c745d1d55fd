import { request as httpsRequest } from "node:https";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import type { AzureFixture } from "../../local/azure/azure-fixture";
import { type RawReply, tokenFor } from "../../local/azure/wire";

export interface VaultQuestion {
  readonly url: string;
  readonly path: string;
  readonly method?: string;
  readonly query?: string;
  readonly as?: ServicePrincipal;
  /** Instead of the owner's; empty for none. */
  readonly token?: string;
  readonly text?: string;
}

/** A request as it stands, for what no client would send. */
export async function askVault(fixture: AzureFixture, question: VaultQuestion): Promise<RawReply> {
  const { url, path, method = "GET", query = "?api-version=7.4", text } = question;
  const token =
    question.token ?? (await tokenFor(fixture, question.as ?? fixture.owner, "https://vault.azure.net/.default"));
  const headers = {
    ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
    ...(text === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(text)) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
  const { port } = new URL(url);
  const sent = httpsRequest(
    { host: "127.0.0.1", port, path: `${path}${query}`, method, headers, ca: fixture.azure.caPem, agent: false },
    (response) => {
      response.setEncoding("utf8");
      let whole = "";
      response.on("data", (chunk: string) => (whole += chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole === "" ? undefined : (JSON.parse(whole) as unknown),
        }),
      );
    },
  );
  sent.on("error", reject);
  sent.end(text);
  return promise;
}
