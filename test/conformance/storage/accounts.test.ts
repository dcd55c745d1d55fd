import { request as httpsRequest } from "node:https";
import { StorageSharedKeyCredential, BlobServiceClient } from "@azure/storage-blob";
import * as fc from "fast-check";
import { GROUP, LOCATION } from "../../local/azure/azure-fixture";
import { tokenFor } from "../../local/azure/wire";
import {
  accountsOf,
  blobsOf,
  collect,
  createAccount,
  holderOf,
  inFolder,
  newAccountName,
  startStorageFixture,
  stopStorageFixture,
  type StorageFixture,
  tableOf,
  trusting,
} from "./storage-fixture";

let fixture: StorageFixture;

beforeAll(async () => {
  fixture = await startStorageFixture();
});
afterAll(() => stopStorageFixture(fixture));

it("creates an account whose endpoints are served (@azure/arm-storage 21.0.0: storageAccounts.create, getProperties)", async () => {
  const { name } = await createAccount(fixture);

  const read = await accountsOf(fixture).storageAccounts.getProperties(GROUP, name);

  expect(read).toMatchObject({
    name,
    location: LOCATION,
    kind: "StorageV2",
    provisioningState: "Succeeded",
    allowBlobPublicAccess: false,
  });
  expect(read.primaryEndpoints).toMatchObject({
    blob: fixture.plane.endpointOf("blob", name),
    queue: fixture.plane.endpointOf("queue", name),
    table: fixture.plane.endpointOf("table", name),
  });
});

it("tells which names are free, and gives none away twice (@azure/arm-storage 21.0.0: checkNameAvailability)", async () => {
  const { name } = await createAccount(fixture);
  const { storageAccounts } = accountsOf(fixture);
  const check = (wanted: string) =>
    storageAccounts.checkNameAvailability({ name: wanted, type: "Microsoft.Storage/storageAccounts" });

  const answers = [await check(newAccountName()), await check(name), await check("Not-Valid")];

  expect(answers.map(({ nameAvailable, reason }) => [nameAvailable, reason])).toEqual([
    [true, undefined],
    [false, "AlreadyExists"],
    [false, "AccountNameInvalid"],
  ]);
});

it("lists keys that work, until the account is told to take none (@azure/arm-storage 21.0.0: listKeys, update; @azure/storage-blob: StorageSharedKeyCredential)", async () => {
  const { name } = await createAccount(fixture);
  const { storageAccounts } = accountsOf(fixture);
  const { keys = [] } = await storageAccounts.listKeys(GROUP, name);
  const byKey = keys.map(
    ({ value = "" }) =>
      new BlobServiceClient(fixture.plane.endpointOf("blob", name), new StorageSharedKeyCredential(name, value), {
        ...trusting(fixture),
        retryOptions: { maxTries: 1 },
      }),
  );

  await byKey[0]?.getContainerClient("by-key").create();
  const listed = await collect(byKey[1]?.listContainers() ?? (async function* none() {})());
  await storageAccounts.update(GROUP, name, { allowSharedKeyAccess: false });

  expect(keys.map(({ keyName }) => keyName)).toEqual(["key1", "key2"]);
  expect(listed.map((one) => one.name)).toEqual(["by-key"]);
  await expect(byKey[0]?.getContainerClient("again").create()).rejects.toMatchObject({
    statusCode: 403,
    code: "KeyBasedAuthenticationNotPermitted",
  });
});

it("makes, shows, lists and deletes containers, which are those of the data plane (@azure/arm-storage 21.0.0: blobContainers)", async () => {
  const account = await createAccount(fixture);
  const { blobContainers } = accountsOf(fixture);
  const as = holderOf(fixture, [{ role: "Storage Blob Data Contributor", scope: account.id }]);
  await blobsOf(fixture, account, as).getContainerClient("by-data").create();

  await blobContainers.create(GROUP, account.name, "by-arm", {});
  const listed = (await collect(blobContainers.list(GROUP, account.name))).map(({ name }) => name);
  const shown = await blobContainers.get(GROUP, account.name, "by-data");
  const inData = (await collect(blobsOf(fixture, account, as).listContainers())).map(({ name }) => name);
  await blobContainers.delete(GROUP, account.name, "by-arm");

  expect(listed).toEqual(["by-arm", "by-data"]);
  expect(inData).toEqual(listed);
  expect(shown).toMatchObject({ name: "by-data", publicAccess: "None", leaseState: "Available" });
  await expect(blobContainers.get(GROUP, account.name, "by-arm")).rejects.toMatchObject({
    statusCode: 404,
    code: "ContainerNotFound",
  });
});

it("keeps the settings of the blob service (@azure/arm-storage 21.0.0: blobServices)", async () => {
  const { name } = await createAccount(fixture);
  const { blobServices } = accountsOf(fixture);

  await blobServices.setServiceProperties(GROUP, name, { deleteRetentionPolicy: { enabled: true, days: 7 } });
  const read = await blobServices.getServiceProperties(GROUP, name);

  expect(read.deleteRetentionPolicy).toMatchObject({ enabled: true, days: 7 });
});

it("serves no account that ARM does not know, nor one that was deleted (docs: Storage account overview)", async () => {
  const account = await createAccount(fixture);
  const as = holderOf(fixture, [{ role: "Storage Blob Data Contributor", scope: account.id }]);
  await accountsOf(fixture).storageAccounts.delete(GROUP, account.name);

  const making = blobsOf(fixture, account, as).getContainerClient("jobs").create();

  await expect(making).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
});

it("keeps blobs, entities and keys over a restart (docs/architecture.md: State)", async () => {
  await inFolder(async (folder) => {
    const first = await startStorageFixture(folder);
    const account = await createAccount(first);
    const as = holderOf(
      first,
      ["Storage Blob Data Contributor", "Storage Table Data Contributor"].map((role) => ({ role, scope: account.id })),
    );
    const container = blobsOf(first, account, as).getContainerClient("kept");
    await container.create();
    await container.getBlockBlobClient("b").upload("bytes", 5);
    await tableOf(first, account, { table: "Kept", as }).createTable();
    await tableOf(first, account, { table: "Kept", as }).createEntity({ partitionKey: "p", rowKey: "r", n: 7 });
    await first.plane.close();
    await first.azure.close();
    await first.storage.close();

    const second = await startStorageFixture(folder);
    const blob = await blobsOf(second, account, as).getContainerClient("kept").getBlobClient("b").downloadToBuffer();
    const entity = await tableOf(second, account, { table: "Kept", as }).getEntity("p", "r");
    await stopStorageFixture(second);

    expect([blob.toString(), entity["n"]]).toEqual(["bytes", 7]);
  });
});

function ask(
  url: string,
  { method, path, headers, body }: { method: string; path: string; headers: Record<string, string>; body: string },
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const options = {
    host: "127.0.0.1",
    port: new URL(url).port,
    path,
    method,
    ca: fixture.azure.caPem,
    agent: false,
    headers: { ...headers, "Content-Length": String(Buffer.byteLength(body)) },
  };
  const sent = httpsRequest(options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

it("answers whatever is sent and stays up: refusals have the service's shape (fast-check 4; docs: Status and error codes)", async () => {
  const account = await createAccount(fixture);
  const roles = ["Storage Blob Data Owner", "Storage Table Data Contributor", "Storage Queue Data Contributor"];
  const as = holderOf(
    fixture,
    roles.map((role) => ({ role, scope: account.id })),
  );
  const bearer = `Bearer ${await tokenFor(fixture, as, "https://storage.azure.com/.default")}`;
  const word = fc.constantFrom(
    account.name,
    "nobody",
    "jobs",
    "Tables",
    "$batch",
    "$logs",
    "..",
    "%",
    "%zz",
    "__proto__",
    "messages",
    "Jobs(PartitionKey='a',RowKey='b')",
    "x".repeat(300),
  );
  const hostile = fc.record({
    service: fc.constantFrom("blob", "queue", "table"),
    method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"),
    path: fc.array(word, { maxLength: 4 }).map((words) => `/${account.name}/${words.map(encodeURI).join("/")}`),
    query: fc.constantFrom(
      "",
      "?restype=container",
      "?comp=list",
      "?restype=service&comp=userdelegationkey",
      "?sig=x",
      "?sig=x&skoid=y&se=z",
      "?comp=batch",
      "?comp=acl",
    ),
    authorization: fc.constantFrom(bearer, bearer, "", "SharedKey x:y", "Bearer x", "Basic eDp5"),
    body: fc.constantFrom("", "<KeyInfo><Expiry>x</Expiry></KeyInfo>", "{", "--batch\r\nGET http://x HTTP/1.1"),
  });

  await fc.assert(
    fc.asyncProperty(hostile, async ({ service, authorization, path, query, ...call }) => {
      const headers = {
        ...(authorization === "" ? {} : { authorization }),
        "x-ms-version": "2021-12-02",
        "x-ms-copy-source": "https://localhost:1/x/y/z",
      };
      const { status, text } = await ask(fixture.plane.endpointOf(service, account.name), {
        ...call,
        path: `${path}${query}`,
        headers,
      });

      expect(status).toBeLessThan(500);
      if (status === 401)
        expect(call.method === "HEAD" ? "" : text).toMatch(
          service === "table" ? /^$|"odata.error"/ : /^$|<Error><Code>/,
        );
    }),
    { numRuns: 200, seed: 5 },
  );

  expect(await collect(blobsOf(fixture, account, as).listContainers())).toEqual(expect.any(Array));
}, 120_000);
