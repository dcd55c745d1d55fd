import {
  type BlobServiceClient,
  BlobClient,
  BlobSASPermissions,
  ContainerSASPermissions,
  type ContainerClient,
  generateBlobSASQueryParameters,
  newPipeline,
  AnonymousCredential,
} from "@azure/storage-blob";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import {
  type AccountUnderTest,
  blobsOf,
  collect,
  createAccount,
  holderOf,
  startStorageFixture,
  stopStorageFixture,
  type StorageFixture,
  trusting,
} from "./storage-fixture";

let fixture: StorageFixture;
let account: AccountUnderTest;
let writer: ServicePrincipal;
let service: BlobServiceClient;
let container: ContainerClient;

beforeAll(async () => {
  fixture = await startStorageFixture();
  account = await createAccount(fixture);
  writer = holderOf(fixture, [{ role: "Storage Blob Data Contributor", scope: account.id }]);
  service = blobsOf(fixture, account, writer);
  container = service.getContainerClient("jobs");
  await container.create();
});
afterEach(() => fixture.faults.disarmAll());
afterAll(() => stopStorageFixture(fixture));

const put = (name: string, text: string) => container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
const textOf = async (blob: BlobClient): Promise<string> => (await blob.downloadToBuffer()).toString("utf8");
const withoutToken = (url: string): BlobClient => {
  const pipeline = newPipeline(new AnonymousCredential(), {
    ...trusting(fixture),
    retryOptions: { maxTries: 1 },
  });
  return new BlobClient(url, pipeline);
};

it("writes, reads, lists and deletes blobs by a token over https (@azure/storage-blob 12.34.0: TokenCredential)", async () => {
  await put("a/one.txt", "1");
  await put("a/two ü%.txt", "2");

  const names = (await collect(container.listBlobsFlat({ prefix: "a/" }))).map(({ name }) => name);
  const text = await textOf(container.getBlobClient("a/two ü%.txt"));
  await container.deleteBlob("a/one.txt");

  expect(names).toEqual(["a/one.txt", "a/two ü%.txt"]);
  expect(text).toBe("2");
  expect(await container.getBlobClient("a/one.txt").exists()).toBe(false);
});

it("guards a blob by its ETag and by a lease (@azure/storage-blob 12.34.0: conditions, BlobLeaseClient)", async () => {
  const { etag = "" } = await put("guarded", "1");
  await put("guarded", "2");
  const late = container.getBlockBlobClient("guarded").upload("3", 1, { conditions: { ifMatch: etag } });
  await expect(late).rejects.toMatchObject({ statusCode: 412, code: "ConditionNotMet" });

  const lease = container.getBlobClient("guarded").getBlobLeaseClient();
  await lease.acquireLease(15);

  await expect(put("guarded", "4")).rejects.toMatchObject({ statusCode: 412, code: "LeaseIdMissing" });
  await lease.releaseLease();
});

it("appends to a log and stages blocks of a large blob (@azure/storage-blob 12.34.0: AppendBlobClient, stageBlock)", async () => {
  const log = container.getAppendBlobClient("log");
  await log.create();
  await log.appendBlock("one\n", 4);
  await log.appendBlock("two\n", 4);
  const blocks = container.getBlockBlobClient("blocks");
  const ids = ["a", "b"].map((id) => Buffer.from(id).toString("base64"));
  for (const id of ids) await blocks.stageBlock(id, "xx", 2);
  await blocks.commitBlockList(ids);

  const texts = [await textOf(log), await textOf(blocks)];

  expect(texts).toEqual(["one\ntwo\n", "xxxx"]);
});

it("passes 16 MB through and gives a range of it back (@azure/storage-blob 12.34.0: uploadData, download)", async () => {
  const bytes = Buffer.alloc(16 * 1024 * 1024, "abcdefgh");
  const blob = container.getBlockBlobClient("large");

  await blob.uploadData(bytes, { blockSize: 4 * 1024 * 1024, maxSingleShotSize: 1024 * 1024 });
  const part = await blob.downloadToBuffer(8 * 1024 * 1024, 16);

  expect(part.toString()).toBe("abcdefghabcdefgh");
  expect((await blob.getProperties()).contentLength).toBe(bytes.length);
});

it("keeps accounts apart, and lists the containers of one (@azure/storage-blob 12.34.0: listContainers)", async () => {
  const other = await createAccount(fixture);
  const as = holderOf(fixture, [{ role: "Storage Blob Data Contributor", scope: other.id }]);
  await blobsOf(fixture, other, as).getContainerClient("jobs").create();
  await put("only-here", "1");

  const containers = (await collect(blobsOf(fixture, other, as).listContainers())).map(({ name }) => name);
  const blobs = await collect(blobsOf(fixture, other, as).getContainerClient("jobs").listBlobsFlat());

  expect(containers).toEqual(["jobs"]);
  expect(blobs).toEqual([]);
});

it.each([
  { role: "Storage Blob Data Reader", read: true, write: false, create: false },
  { role: "Storage Blob Data Contributor", read: true, write: true, create: true },
  { role: "Owner", read: false, write: false, create: true },
  { role: "Reader", read: false, write: false, create: false },
])(
  "lets $role read: $read, write: $write, make containers: $create (docs: Authorize access to blobs using Microsoft Entra ID)",
  async ({ role, read, write, create }) => {
    await put("roles", "1");
    const own = blobsOf(fixture, account, holderOf(fixture, [{ role, scope: account.id }]));
    const isDone = (act: Promise<unknown>) =>
      act.then(
        () => true,
        (error: unknown) => {
          const { statusCode, code } = error as { statusCode: number; code: string };
          if (statusCode !== 403 || code !== "AuthorizationPermissionMismatch") throw error;
          return false;
        },
      );

    const may = [
      await isDone(own.getContainerClient("jobs").getBlockBlobClient("roles").download()),
      await isDone(own.getContainerClient("jobs").getBlockBlobClient("roles").upload("2", 1)),
      await isDone(own.getContainerClient(`by-${role.toLowerCase().replaceAll(" ", "-")}`).create()),
    ];

    expect(may).toEqual([read, write, create]);
  },
);

it("gives a role on one container there alone (docs: Assign an Azure role for access to blob data, container scope)", async () => {
  await service.getContainerClient("closed").create();
  const as = holderOf(fixture, [
    { role: "Storage Blob Data Contributor", scope: `${account.id}/blobServices/default/containers/jobs` },
  ]);
  const own = blobsOf(fixture, account, as);

  await own.getContainerClient("jobs").getBlockBlobClient("scoped").upload("1", 1);
  const elsewhere = own.getContainerClient("closed").getBlockBlobClient("scoped").upload("1", 1);

  await expect(elsewhere).rejects.toMatchObject({ statusCode: 403, code: "AuthorizationPermissionMismatch" });
});

it("refuses who brings no token, or one for something else (docs: Authorize with Microsoft Entra ID, Bearer challenge)", async () => {
  await put("secret", "1");
  const url = container.getBlobClient("secret").url;

  await expect(withoutToken(url).download()).rejects.toMatchObject({
    statusCode: 401,
    code: "NoAuthenticationInformation",
  });
  const stranger = new BlobClient(
    url,
    { getToken: () => Promise.resolve({ token: "no.jwt.here", expiresOnTimestamp: Date.now() + 1e6 }) },
    { ...trusting(fixture), retryOptions: { maxTries: 1 } },
  );
  await expect(stranger.download()).rejects.toMatchObject({ statusCode: 401, code: "InvalidAuthenticationInfo" });
});

it("opens one blob to who holds a user delegation SAS, for as long and for what it says (@azure/storage-blob 12.34.0: generateBlobSASQueryParameters)", async () => {
  await put("shared", "open");
  await put("other", "closed");
  const until = new Date(Date.now() + 600_000);
  const key = await service.getUserDelegationKey(new Date(Date.now() - 60_000), until);
  const sas = (blobName: string, more = {}) =>
    generateBlobSASQueryParameters(
      { containerName: "jobs", blobName, permissions: BlobSASPermissions.parse("r"), expiresOn: until, ...more },
      key,
      account.name,
    ).toString();
  const open = (name: string, query: string) => withoutToken(`${container.getBlobClient(name).url}?${query}`);

  const text = await textOf(open("shared", sas("shared")));
  const old = await textOf(open("shared", sas("shared", { version: "2022-11-02" })));

  expect([text, old]).toEqual(["open", "open"]);
  await expect(open("other", sas("shared")).download()).rejects.toMatchObject({
    statusCode: 403,
    code: "AuthenticationFailed",
  });
  await expect(open("shared", sas("shared")).delete()).rejects.toMatchObject({
    statusCode: 403,
    code: "AuthorizationPermissionMismatch",
  });
  await expect(
    open("shared", sas("shared", { expiresOn: new Date(Date.now() - 1000) })).download(),
  ).rejects.toMatchObject({ statusCode: 403 });
});

it("permits by a signature no more than its giver may still do (docs: Create a user delegation SAS)", async () => {
  await put("for-readers", "1");
  const reader = holderOf(fixture, [{ role: "Storage Blob Data Reader", scope: account.id }]);
  const until = new Date(Date.now() + 600_000);
  const key = await blobsOf(fixture, account, reader).getUserDelegationKey(new Date(), until);
  const permissions = ContainerSASPermissions.parse("rwd");
  const sas = generateBlobSASQueryParameters(
    { containerName: "jobs", permissions, expiresOn: until },
    key,
    account.name,
  ).toString();
  const blob = withoutToken(`${container.getBlobClient("for-readers").url}?${sas}`);

  const text = await textOf(blob);

  expect(text).toBe("1");
  await expect(blob.delete()).rejects.toMatchObject({ statusCode: 403, code: "AuthorizationPermissionMismatch" });
});

it("copies between accounts, as a copy and as a put, what the caller's signature opens (@azure/storage-blob 12.34.0: beginCopyFromURL, syncUploadFromURL)", async () => {
  const target = await createAccount(fixture);
  const as = holderOf(fixture, [{ role: "Storage Blob Data Contributor", scope: target.id }]);
  const images = blobsOf(fixture, target, as).getContainerClient("images");
  await images.create();
  await put("image", "bytes");
  const until = new Date(Date.now() + 600_000);
  const key = await service.getUserDelegationKey(new Date(), until);
  const sas = generateBlobSASQueryParameters(
    { containerName: "jobs", blobName: "image", permissions: BlobSASPermissions.parse("r"), expiresOn: until },
    key,
    account.name,
  ).toString();
  const source = container.getBlobClient("image").url;

  const poller = await images.getBlobClient("copied").beginCopyFromURL(`${source}?${sas}`);
  await poller.pollUntilDone();
  await images.getBlockBlobClient("put").syncUploadFromURL(`${source}?${sas}`);

  await expect(images.getBlockBlobClient("denied").syncUploadFromURL(source)).rejects.toMatchObject({
    statusCode: 403,
    code: "CannotVerifyCopySource",
  });
  expect([await textOf(images.getBlobClient("copied")), await textOf(images.getBlobClient("put"))]).toEqual([
    "bytes",
    "bytes",
  ]);
});

it.each(["before", "after"] as const)(
  "fails a chosen write %s it is done, as the fault plan tells (local/faults: service storage)",
  async (stage) => {
    const name = `faulty-${stage}`;
    const action = { kind: "fail", status: 503, code: "ServerBusy", message: "Try later." } as const;
    fixture.faults.arm({
      service: "storage",
      operation: "^PUT blobs$",
      subject: `/${name}$`,
      stage,
      skip: 0,
      times: 1,
      action,
    });

    await expect(put(name, "1")).rejects.toMatchObject({ statusCode: 503, code: "ServerBusy" });

    expect(await container.getBlobClient(name).exists()).toBe(stage === "after");
  },
);
