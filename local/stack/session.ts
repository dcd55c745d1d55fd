import { readFileSync } from "node:fs";
import type { CloudFacts, StackUser } from "./cloud-facts";
import { API_APP_ID, TENANT_ID } from "./constants";
import { JsonClient } from "./http-client";

const STORAGE = "https://storage.azure.com";
const BLOB_VERSION = "2021-08-06";
const RENEW_BEFORE_MS = 5 * 60_000;

/** Calls to a running stack in the name of one of its users, with tokens of the embedded Entra. */
export class StackSession {
  readonly http: JsonClient;
  private readonly user: StackUser;
  private readonly tokens = new Map<string, { token: string; expiresAt: number }>();

  constructor(
    private readonly facts: Pick<CloudFacts, "apiUrl" | "armUrl" | "authorityUrl" | "caFile" | "users">,
    role = "Owner",
  ) {
    const user = facts.users.find((each) => each.role === role);
    if (!user) throw new Error(`the stack has no user with the role ${role}`);
    this.user = user;
    this.http = new JsonClient(readFileSync(facts.caFile, "utf8"));
  }

  get objectId(): string {
    return this.user.objectId;
  }

  /** Corral's API: `path` begins with /api. Throws what the API says when it refuses. */
  async api(method: string, path: string, json?: unknown): Promise<unknown> {
    return this.http.expect({ method, url: this.facts.apiUrl + path, token: await this.token(API_APP_ID), json });
  }

  /** Azure Resource Manager: `path` is a resource id with its api-version. */
  async arm(method: string, path: string, json?: unknown): Promise<unknown> {
    return this.http.expect({
      method,
      url: this.facts.armUrl + path,
      token: await this.token("https://management.azure.com"),
      json,
    });
  }

  /** A blob container, if it is not there yet. */
  async createContainer(url: string): Promise<void> {
    const token = await this.token(STORAGE);
    const headers = { "x-ms-version": BLOB_VERSION };
    const { status, body } = await this.http.call({ method: "PUT", url: `${url}?restype=container`, token, headers });
    if (status !== 201 && status !== 409) throw new Error(`container ${url}: ${status}: ${String(body)}`);
  }

  /** Names and sizes of the blobs in a container. */
  async listBlobs(url: string): Promise<{ name: string; bytes: number }[]> {
    const token = await this.token(STORAGE);
    const headers = { "x-ms-version": BLOB_VERSION };
    const listing = await this.http.expect({
      method: "GET",
      url: `${url}?restype=container&comp=list`,
      token,
      headers,
    });
    return [...String(listing).matchAll(/<Blob><Name>([^<]*)<\/Name>.*?<Content-Length>(\d+)</gs)].map(
      ([, name = "", bytes]) => ({
        name,
        bytes: Number(bytes),
      }),
    );
  }

  async token(audience: string): Promise<string> {
    const known = this.tokens.get(audience);
    if (known && known.expiresAt - RENEW_BEFORE_MS > Date.now()) return known.token;
    const { clientId, clientSecret } = this.user;
    const issued = (await this.http.expect({
      method: "POST",
      url: `${this.facts.authorityUrl}/${TENANT_ID}/oauth2/v2.0/token`,
      form: {
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: clientSecret,
        scope: `${audience}/.default`,
      },
    })) as { access_token: string; expires_in: number };
    this.tokens.set(audience, { token: issued.access_token, expiresAt: Date.now() + issued.expires_in * 1000 });
    return issued.access_token;
  }

  close(): void {
    this.http.close();
  }
}
