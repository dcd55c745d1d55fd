import { serializeAuthenticationRecord } from "@azure/identity";
import type { Command, CommandCall } from "./command";
import { EXIT, type ExitCode } from "./cli-error";
import { caOf, connectionOf, type ConnectOptions, described } from "./connection";
import { forgetConnection, loadConnection, type SavedConnection, saveConnection } from "./connection-file";
import { signIn } from "./sign-in/session";
import { forgetTokensIn, keepTokensIn } from "./sign-in/token-cache";
import { isInteractive } from "./sign-in/way";
import { identityOf } from "./token-identity";

export const LOGIN_COMMANDS: readonly Command[] = [
  {
    words: "login",
    summary: "sign in to a deployment",
    help:
      "Asks the deployment for its tenant and keeps what was chosen in ~/.config/corral (or CORRAL_CONFIG_DIR), readable by you alone; " +
      "tokens are renewed without you. The secret of a service principal is taken from the environment at each call and never kept.",
    run: login,
  },
  { words: "logout", summary: "forget who is signed in, and his tokens", run: logout },
];

/** Nothing is kept of a sign-in that failed. */
async function login(call: CommandCall): Promise<ExitCode> {
  const { environment, tell } = call;
  const options = withKnown(call.connectOptions, loadConnection(environment.configFolder));
  const saved = await signedIn(call, await described({ options, environment, tell }));
  const who = await identityOf(connectionOf(saved, { options: {}, environment, tell }));
  saveConnection(environment.configFolder, saved);
  call.output.line(`signed in to ${saved.apiUrl} as ${who.name} (${saved.way}, tenant ${saved.tenantId})`);
  call.output.json({ apiUrl: saved.apiUrl, way: saved.way, ...who });
  return EXIT.done;
}

/** `corral login` alone signs in again where one was. */
function withKnown(options: ConnectOptions, known: SavedConnection | undefined): ConnectOptions {
  if (!known || (options.api !== undefined && options.api !== known.apiUrl)) return options;
  const { apiUrl: api, way, authority, caFile: ca, armUrl: arm, org } = known;
  return { api, "sign-in": way, authority, ca, arm, org, ...options };
}

async function signedIn(call: CommandCall, saved: SavedConnection): Promise<SavedConnection> {
  const { way, tenantId, clientId, authority, audience } = saved;
  if (!isInteractive(way)) return saved;
  const { environment, tell } = call;
  forgetTokensIn(environment.configFolder);
  keepTokensIn(environment.configFolder);
  const target = { tenantId, clientId, authority, ca: caOf(saved.caFile) };
  const record = await signIn(way, { target, environment, tell }, `${audience}/.default`);
  return { ...saved, account: serializeAuthenticationRecord(record) };
}

function logout(call: CommandCall): Promise<ExitCode> {
  const { configFolder } = call.environment;
  forgetConnection(configFolder);
  forgetTokensIn(configFolder);
  call.output.line("signed out");
  call.output.json({ signedOut: true });
  return Promise.resolve(EXIT.done);
}
