import { AuthorizationCodeCredential, DeviceCodeCredential } from "@azure/identity";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { type AzureFixture, createEstate, GROUP_ID, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { send, TENANT } from "../../local/azure/wire";
import {
  API,
  ARM_SCOPE,
  askToken,
  authorityOf,
  authorize,
  AZURE_CLI,
  claimsOf,
  newChallenge,
  numberOf,
  postForm,
  redeem,
  REDIRECT,
  type TokenBody,
  tokensOf,
} from "./sign-in";

const ADA = "ada@local.onmicrosoft.com";
let fixture: AzureFixture;
let ada: string;
beforeAll(async () => {
  fixture = await startFixture({ deviceCodeIntervalSeconds: 1 });
  await createEstate(fixture);
  ada = fixture.azure.addPerson({ displayName: "Ada <Lovelace>", type: "User", userPrincipalName: ADA });
  fixture.azure.grant({ principalId: ada, role: "Reader", scope: GROUP_ID });
});
afterAll(() => stopFixture(fixture));

const approve = (userCode: string, decision: string): Promise<unknown> =>
  postForm(fixture, `/${TENANT}/oauth2/v2.0/deviceauth`, {
    fields: { user_code: userCode, ...(decision === "decline" ? { decision } : { user: ADA }) },
  });

const deviceCredential = (decision: string): DeviceCodeCredential =>
  new DeviceCodeCredential({
    tenantId: TENANT,
    userPromptCallback: ({ userCode }) => void approve(userCode, decision),
    ...authorityOf(fixture),
  });

it("signs a person in on another device, and shows who it was (@azure/identity 4.14.1, DeviceCodeCredential)", async () => {
  const credential = deviceCredential("approve");

  const record = await credential.authenticate(ARM_SCOPE);
  const { token } = await credential.getToken(ARM_SCOPE);

  expect(record).toMatchObject({ username: ADA, tenantId: TENANT, homeAccountId: `${ada}.${TENANT}` });
  expect(claimsOf(token)).toMatchObject({
    oid: ada,
    upn: ADA,
    scp: "user_impersonation",
    idtyp: "user",
    appidacr: "0",
  });
});

it("tells the device that the person declined (@azure/identity 4.14.1, authorization_declined)", async () => {
  await expect(deviceCredential("decline").getToken(ARM_SCOPE)).rejects.toThrow(/authorization_declined|AADSTS70019/);
});

const beginDevice = async (): Promise<{ device_code: string; user_code: string; interval: number }> => {
  const fields = { client_id: AZURE_CLI, scope: `${ARM_SCOPE} openid offline_access` };
  return (await postForm(fixture, `/${TENANT}/oauth2/v2.0/devicecode`, { fields })).body as Awaited<
    ReturnType<typeof beginDevice>
  >;
};
const poll = (deviceCode: string) =>
  askToken(fixture, {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: AZURE_CLI,
    device_code: deviceCode,
  });

it("signs people in for a command line of the tenant's own (@azure/identity 4.14.1, public client, app roles)", async () => {
  const { clientId } = fixture.azure.addServicePrincipal({ displayName: "command line", isPublicClient: true });
  const credential = new DeviceCodeCredential({
    tenantId: TENANT,
    clientId,
    userPromptCallback: ({ userCode }) => void approve(userCode, "approve"),
    ...authorityOf(fixture),
  });
  fixture.azure.addPerson({ displayName: "Ada <Lovelace>", type: "User", userPrincipalName: ADA, roles: ["Admin"] });

  const { token } = await credential.getToken("api://corral/.default");

  expect(claimsOf(token)).toMatchObject({ aud: API, azp: clientId, azpacr: "0", oid: ada, roles: ["Admin"] });
});

it("lets a device wait, and asks it to wait longer when it polls at once (RFC 8628, 3.5; docs: device code)", async () => {
  const { device_code: code } = await beginDevice();

  const [first, second] = [await poll(code), await poll(code)];

  expect([first, second].map(({ status, body }) => [status, (body as { error: string }).error])).toEqual([
    [400, "authorization_pending"],
    [400, "slow_down"],
  ]);
});

it("answers a device code once (docs: device code, expired_token)", async () => {
  const { device_code: code, user_code: userCode } = await beginDevice();
  await approve(userCode, "approve");

  const [first, second] = [await poll(code), await poll(code)];

  expect([first.status, (second.body as { error: string }).error]).toEqual([200, "expired_token"]);
});

it("does not know a device code of somebody else's making (docs: device code, bad_verification_code)", async () => {
  expect((await poll("guessed")).body).toMatchObject({ error: "bad_verification_code" });
});

it("lets a web application redeem a person's code (@azure/identity 4.14.1, AuthorizationCodeCredential)", async () => {
  const redirectUri = "https://app.example/callback";
  const web = fixture.azure.addServicePrincipal({ displayName: "web", redirectUris: [redirectUri] });
  const code = await authorize(fixture, { client_id: web.clientId, redirect_uri: redirectUri, user: ADA });
  const credential = new AuthorizationCodeCredential(
    TENANT,
    web.clientId,
    web.clientSecret,
    code.get("code") ?? "",
    redirectUri,
    authorityOf(fixture),
  );

  const { token } = await credential.getToken(ARM_SCOPE);

  expect(claimsOf(token)).toMatchObject({ oid: ada, appid: web.clientId, appidacr: "1" });
});

it("lists the directory's people on the sign-in page, as text (docs: authorization code flow)", async () => {
  const query = new URLSearchParams({
    client_id: AZURE_CLI,
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: ARM_SCOPE,
    state: '"><script>',
  });

  const { body } = await send(fixture, { path: `/${TENANT}/oauth2/v2.0/authorize?${query.toString()}` });

  expect(body).toContain(`value="${ADA}"`);
  expect(body).toContain("Ada &#60;Lovelace&#62;");
  expect(body).not.toContain('"><script>');
});

it("tells the client who signed in, in a token that the tenant's keys verify (OpenID Connect Core, 3.1.3.7)", async () => {
  const fetchKeys = async (): Promise<Response> =>
    Response.json((await send(fixture, { path: `/${TENANT}/discovery/v2.0/keys` })).body);
  const keys = createRemoteJWKSet(new URL(fixture.azure.armUrl), { [customFetch]: fetchKeys });

  const { id_token: idToken, client_info: info } = await tokensOf(fixture, ADA, { nonce: "n-1" });
  const { payload } = await jwtVerify(idToken, keys, {
    issuer: `${fixture.azure.armUrl}/${TENANT}/v2.0`,
    audience: AZURE_CLI,
  });

  expect(payload).toMatchObject({ nonce: "n-1", oid: ada, preferred_username: ADA, tid: TENANT });
  expect(JSON.parse(Buffer.from(info, "base64url").toString())).toEqual({ uid: ada, utid: TENANT });
});

it("gives the state back, and an error where the person declines (docs: authorization code flow)", async () => {
  const answer = await authorize(fixture, { decision: "decline", state: "s-1" });

  expect(Object.fromEntries(answer)).toMatchObject({ error: "access_denied", state: "s-1" });
});

it("redeems a code only with the verifier that it was asked with (RFC 7636, docs: AADSTS501481)", async () => {
  const { verifier, challenge } = newChallenge();
  const asked = { user: ADA, code_challenge: challenge, code_challenge_method: "S256" };
  const code = (await authorize(fixture, asked)).get("code") ?? "";

  const wrong = await redeem(fixture, code, { code_verifier: newChallenge().verifier });
  const right = await redeem(fixture, code, { code_verifier: verifier });

  expect([numberOf(wrong), right.status]).toEqual([501481, 200]);
});

it("redeems a code once (docs: AADSTS54005)", async () => {
  const code = (await authorize(fixture, { user: ADA })).get("code") ?? "";

  const [first, second] = [await redeem(fixture, code), await redeem(fixture, code)];

  expect([first.status, second.status, numberOf(second)]).toEqual([200, 400, 54005]);
});

it("does not send a code to an address that is not the client's (docs: AADSTS50011)", async () => {
  const fields = {
    client_id: AZURE_CLI,
    response_type: "code",
    redirect_uri: "https://thief.example",
    scope: ARM_SCOPE,
    user: ADA,
  };

  const reply = await postForm(fixture, `/${TENANT}/oauth2/v2.0/authorize`, { fields });

  expect([reply.status, reply.headers["location"]]).toEqual([400, undefined]);
  expect(reply.body).toContain("AADSTS50011");
});

it("does not take the sign-in form from another site's page (RFC 6749, 10.12)", async () => {
  const fields = { client_id: AZURE_CLI, response_type: "code", redirect_uri: REDIRECT, scope: ARM_SCOPE, user: ADA };

  const reply = await postForm(fixture, `/${TENANT}/oauth2/v2.0/authorize`, {
    fields,
    headers: { Origin: "https://thief.example" },
  });

  expect(reply.headers["location"]).toMatch(/error=invalid_request/);
});

it("renews tokens for the same and for another API (docs: refresh tokens)", async () => {
  const first = await tokensOf(fixture, ADA);
  const renew = (scope: string) =>
    askToken(fixture, { grant_type: "refresh_token", client_id: AZURE_CLI, refresh_token: first.refresh_token, scope });

  const same = (await renew(`${ARM_SCOPE} offline_access`)).body as TokenBody;
  const other = (await renew("api://corral/.default")).body as TokenBody;

  expect(same.refresh_token).not.toBe(first.refresh_token);
  expect(claimsOf(other.access_token)).toMatchObject({ aud: API, oid: ada, ver: "2.0", preferred_username: ADA });
});

it("refuses refresh tokens of another client, and made up ones (docs: invalid_grant)", async () => {
  const { refresh_token: token } = await tokensOf(fixture, ADA);
  const shell = "1950a258-227b-4e31-a9cf-717495945fc2";
  const fields = { grant_type: "refresh_token", scope: ARM_SCOPE };

  const stolen = await askToken(fixture, { ...fields, client_id: shell, refresh_token: token });
  const guessed = await askToken(fixture, { ...fields, client_id: AZURE_CLI, refresh_token: "guessed" });

  expect([stolen, guessed].map(({ body }) => (body as { error: string }).error)).toEqual([
    "invalid_grant",
    "invalid_grant",
  ]);
});

it("keeps the delegated permissions of an API, and knows no others (docs: scp, AADSTS65001)", async () => {
  const ask = { user: ADA, scope: "api://corral/user_impersonation openid" };

  const { access_token: token, scope } = await tokensOf(fixture, ADA, ask);
  const unknown = await authorize(fixture, { user: ADA, scope: "api://corral/Nothing" });

  expect([claimsOf(token)["scp"], scope]).toEqual(["user_impersonation", "api://corral/user_impersonation"]);
  expect(unknown.get("error_description")).toMatch(/^AADSTS65001/);
});

it("asks a confidential client for its proof in people's flows too (docs: AADSTS7000218)", async () => {
  const web = fixture.azure.addServicePrincipal({ displayName: "silent web", redirectUris: [REDIRECT] });
  const code = (await authorize(fixture, { client_id: web.clientId, user: ADA })).get("code") ?? "";

  const reply = await redeem(fixture, code, { client_id: web.clientId });

  expect([reply.status, numberOf(reply)]).toEqual([401, 7000218]);
});

it("does not take a secret from a public client (docs: AADSTS700025)", async () => {
  const code = (await authorize(fixture, { user: ADA })).get("code") ?? "";

  const reply = await redeem(fixture, code, { client_secret: "x" });

  expect([reply.status, numberOf(reply)]).toEqual([401, 700025]);
});
