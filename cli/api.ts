import type { HttpMethods } from "@azure/core-rest-pipeline";
import { z } from "zod";
import { type CliError, refused } from "./cli-error";
import type { Connection } from "./connection";
import { type HttpReply, HttpSender } from "./http";

const Problem = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface ServiceCall {
  readonly method: HttpMethods;
  /** Begins with a slash. */
  readonly path: string;
  readonly body?: unknown;
}

/** One of the services that a connection reaches, as its user. */
export class Service {
  private readonly sender: HttpSender;

  constructor(
    private readonly url: string,
    scope: string,
    { credential, ca }: Pick<Connection, "credential" | "ca">,
  ) {
    this.sender = new HttpSender({ credential, scope, ca });
  }

  /** The answer, whatever it is. */
  send({ method, path, body }: ServiceCall): Promise<HttpReply> {
    return this.sender.send({ method, url: this.url + path, body });
  }

  /** What the service answers when it does as it is asked; its refusal becomes an error in its own words. */
  async call(call: ServiceCall): Promise<unknown> {
    const reply = await this.send(call);
    if (reply.status < 400) return reply.body;
    throw refusalOf(call, reply);
  }

  /** All pages of a list. Only the place in the list is taken of a link, so that no token goes to another host. */
  async list(path: string): Promise<unknown[]> {
    const values: unknown[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const page = Page.parse(await this.call({ method: "GET", path: next }));
      values.push(...page.value);
      next = page.nextLink === undefined ? undefined : following(path, page.nextLink);
    }
    return values;
  }
}

const Page = z.object({ value: z.array(z.unknown()), nextLink: z.string().optional() });

function following(path: string, nextLink: string): string {
  const { pathname, searchParams } = new URL(path, "https://list.invalid");
  const [name, place] =
    [...new URL(nextLink, "https://list.invalid").searchParams].find(([each]) => /^\$skiptoken$/i.test(each)) ?? [];
  if (name === undefined || !place || place === searchParams.get(name))
    throw refused("a list does not say how it goes on");
  searchParams.set(name, place);
  return `${pathname}?${searchParams.toString().replaceAll("+", "%20")}`;
}

export function refusalOf({ method, path }: ServiceCall, { status, body, text }: HttpReply): CliError {
  const problem = Problem.safeParse(body);
  const said = problem.success ? `${problem.data.error.code}: ${problem.data.error.message}` : text.slice(0, 200);
  return refused(`${method} ${path.split("?")[0] ?? path} was refused (${status}): ${said}${adviceFor(status, said)}`);
}

function adviceFor(status: number, said: string): string {
  if (status === 401) return " (sign in again: corral login)";
  if (status === 403 && said.startsWith("Forbidden")) return " (an Owner can give you a role: corral share)";
  return "";
}

export const apiOf = (connection: Connection): Service =>
  new Service(connection.apiUrl, `${connection.audience}/.default`, connection);

export const armOf = (connection: Connection): Service =>
  new Service(connection.armUrl, "https://management.azure.com/.default", connection);

/** A path of an organization; every name in it is escaped. */
export const orgPath = (org: string, ...names: readonly string[]): string =>
  ["/api/orgs", encodeURIComponent(org), ...names].join("/");
