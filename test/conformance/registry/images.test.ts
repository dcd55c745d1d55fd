import { randomBytes } from "node:crypto";
import type { ContainerRegistryContentClient } from "@azure/container-registry";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import {
  ask,
  bearerFor,
  collect,
  contentOf,
  createRegistry,
  digestOf,
  jsonOf,
  metadataOf,
  pushImage,
  type RegistryUnderTest,
} from "./registry-fixture";

let fixture: AzureFixture;
let registry: RegistryUnderTest;
let images: ContainerRegistryContentClient;

beforeAll(async () => {
  fixture = await startFixture();
  registry = await createRegistry(fixture);
  images = contentOf(fixture, registry, { repository: "team/app" });
});
afterEach(() => fixture.faults.disarmAll());
afterAll(() => stopFixture(fixture));

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

it("stores an image and gives it back by tag and by digest (@azure/container-registry 1.1.2: setManifest, getManifest)", async () => {
  const { digest, content } = await pushImage(images, { tag: "v1" });

  const [byTag, byDigest] = [await images.getManifest("v1"), await images.getManifest(digest)];

  expect([byTag.digest, byDigest.digest]).toEqual([digest, digest]);
  expect(byTag.content).toEqual(content);
  expect(byTag.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
});

it("takes a layer in chunks and gives it back whole (@azure/container-registry 1.1.2: uploadBlob, downloadBlob)", async () => {
  const layer = randomBytes(9 * 1024 * 1024);

  const { digest, sizeInBytes } = await images.uploadBlob(layer);
  const { content } = await images.downloadBlob(digest);

  expect([digest, sizeInBytes]).toEqual([digestOf(layer), layer.length]);
  expect((await readAll(content)).equals(layer)).toBe(true);
});

it("gives a part of a layer that is asked for (distribution-spec: Pulling blobs, Range)", async () => {
  const { digest } = await images.uploadBlob(Buffer.from("0123456789"));
  const authorization = await bearerFor(fixture, registry, { scope: "repository:team/app:pull" });
  const get = (range: string) =>
    ask(fixture, registry, { path: `/v2/team/app/blobs/${digest}`, headers: { authorization, range } });

  const [part, rest, beyond] = [await get("bytes=2-4"), await get("bytes=7-"), await get("bytes=20-30")];

  expect([part.status, part.body.toString(), part.headers["content-range"]]).toEqual([206, "234", "bytes 2-4/10"]);
  expect(rest.body.toString()).toBe("789");
  expect(beyond.status).toBe(416);
});

it("does an upload in one request, and one from another repository, without the bytes (distribution-spec: Single POST, Mounting a blob)", async () => {
  const blob = Buffer.from("mounted");
  const digest = digestOf(blob);
  const authorization = await bearerFor(fixture, registry, {
    scope: "repository:one:pull,push repository:two:pull,push",
  });

  const single = await ask(fixture, registry, {
    method: "POST",
    path: `/v2/one/blobs/uploads/?digest=${digest}`,
    headers: { authorization, "content-type": "application/octet-stream" },
    body: blob,
  });
  const mounted = await ask(fixture, registry, {
    method: "POST",
    path: `/v2/two/blobs/uploads/?mount=${digest}&from=one`,
    headers: { authorization },
  });
  const got = await ask(fixture, registry, { path: `/v2/two/blobs/${digest}`, headers: { authorization } });

  expect([single.status, mounted.status, got.body.toString()]).toEqual([201, 201, "mounted"]);
});

it("mounts nothing from a repository that the token does not open (distribution-spec: Mounting a blob)", async () => {
  const { digest } = await contentOf(fixture, registry, { repository: "closed" }).uploadBlob(Buffer.from("closed"));
  const authorization = await bearerFor(fixture, registry, { scope: "repository:open:pull,push" });

  const answer = await ask(fixture, registry, {
    method: "POST",
    path: `/v2/open/blobs/uploads/?mount=${digest}&from=closed`,
    headers: { authorization },
  });

  expect(answer.status).toBe(202);
  expect(answer.headers["location"]).toMatch(/^\/v2\/open\/blobs\/uploads\//);
});

it("checks digests: of an upload, of a manifest, and of what a manifest names (distribution-spec: DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN)", async () => {
  const authorization = await bearerFor(fixture, registry, { scope: "repository:strict:pull,push" });
  const headers = { authorization, "content-type": "application/vnd.oci.image.manifest.v1+json" };
  const wrong = `sha256:${"0".repeat(64)}`;
  const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: wrong, size: 1 }, layers: [] });

  const upload = await ask(fixture, registry, {
    method: "POST",
    path: `/v2/strict/blobs/uploads/?digest=${wrong}`,
    headers: { authorization },
    body: "x",
  });
  const byDigest = await ask(fixture, registry, {
    method: "PUT",
    path: `/v2/strict/manifests/${wrong}`,
    headers,
    body: manifest,
  });
  const byTag = await ask(fixture, registry, {
    method: "PUT",
    path: "/v2/strict/manifests/t",
    headers,
    body: manifest,
  });

  expect(
    [upload, byDigest, byTag].map((answer) => [
      answer.status,
      (jsonOf(answer) as { errors: { code: string }[] }).errors[0]?.code,
    ]),
  ).toEqual([
    [400, "DIGEST_INVALID"],
    [400, "DIGEST_INVALID"],
    [400, "MANIFEST_BLOB_UNKNOWN"],
  ]);
});

it("goes on with an upload only where it stopped (distribution-spec: Pushing a blob in chunks)", async () => {
  const authorization = await bearerFor(fixture, registry, { scope: "repository:chunks:pull,push" });
  const begun = await ask(fixture, registry, {
    method: "POST",
    path: "/v2/chunks/blobs/uploads/",
    headers: { authorization },
  });
  const path = String(begun.headers["location"]);
  const patch = (body: string, range: string) =>
    ask(fixture, registry, { method: "PATCH", path, headers: { authorization, "content-range": range }, body });

  const first = await patch("abc", "0-2");
  const wrong = await patch("x", "7-7");
  const status = await ask(fixture, registry, { path, headers: { authorization } });
  await patch("def", "3-5");
  const done = await ask(fixture, registry, {
    method: "PUT",
    path: `${path}?digest=${digestOf(Buffer.from("abcdef"))}`,
    headers: { authorization },
  });

  expect([first.status, first.headers["range"], wrong.status, status.headers["range"], done.status]).toEqual([
    202,
    "0-2",
    416,
    "0-2",
    201,
  ]);
});

it("keeps one manifest for several platforms (OCI image index; @azure/container-registry 1.1.2: setManifest)", async () => {
  const parts = [await pushImage(images, { label: "amd" }), await pushImage(images, { label: "arm" })];
  const platforms = ["amd64", "arm64"];
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const index = {
    schemaVersion: 2,
    mediaType,
    manifests: parts.map(({ digest, content }, at) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: content.length,
      platform: { architecture: platforms[at], os: "linux" },
    })),
  };

  await images.setManifest(Buffer.from(JSON.stringify(index)), { tag: "multi", mediaType });
  const read = await images.getManifest("multi");
  const shown = await metadataOf(fixture, registry).getArtifact("team/app", read.digest).getManifestProperties();

  expect(read.mediaType).toBe(mediaType);
  expect(shown.relatedArtifacts.map(({ architecture }) => architecture)).toEqual(platforms);
});

it("answers a manifest only in a form that the client accepts (distribution-spec: Accept)", async () => {
  await pushImage(images, { tag: "accept" });
  const authorization = await bearerFor(fixture, registry, { scope: "repository:team/app:pull" });
  const head = (accept: string) =>
    ask(fixture, registry, {
      method: "HEAD",
      path: "/v2/team/app/manifests/accept",
      headers: { authorization, accept },
    });

  const answers = [
    await head("application/vnd.oci.image.manifest.v1+json"),
    await head("application/vnd.docker.distribution.manifest.v2+json"),
    await head("*/*"),
  ];

  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
});

it("lists repositories, tags and manifests in pages (@azure/container-registry 1.1.2: listRepositoryNames, listTagProperties, listManifestProperties)", async () => {
  const own = await createRegistry(fixture);
  for (const repository of ["a", "b", "c"]) await pushImage(contentOf(fixture, own, { repository }), { tag: "t1" });
  await pushImage(contentOf(fixture, own, { repository: "a" }), { tag: "t2", label: "two" });
  const client = metadataOf(fixture, own);

  const pages = await collect(client.listRepositoryNames().byPage({ maxPageSize: 2 }));
  const manifests = await collect(
    client.getRepository("a").listManifestProperties({ order: "LastUpdatedOnDescending" }),
  );
  const tags = await collect(client.getArtifact("a", "t2").listTagProperties());
  const properties = await client.getRepository("a").getProperties();

  expect(pages.map((page) => [...page])).toEqual([["a", "b"], ["c"]]);
  expect(manifests.map((one) => one.tags)).toEqual([["t2"], ["t1"]]);
  // The client asks for all tags of the repository, whichever artifact it was made for.
  expect(tags.map(({ name }) => name)).toEqual(["t1", "t2"]);
  expect(properties).toMatchObject({ name: "a", registryLoginServer: own.loginServer, manifestCount: 2, tagCount: 2 });
});

it("deletes a tag, a manifest with its tags, and a repository (@azure/container-registry 1.1.2: deleteTag, delete, deleteRepository)", async () => {
  const client = metadataOf(fixture, registry);
  const doomed = contentOf(fixture, registry, { repository: "doomed" });
  const { digest, config } = await pushImage(doomed, { tag: "one" });
  await pushImage(doomed, { tag: "two" });

  await client.getArtifact("doomed", "one").deleteTag("one");
  const left = await collect(client.getArtifact("doomed", digest).listTagProperties());
  await client.getArtifact("doomed", digest).delete();
  await expect(doomed.downloadBlob(digestOf(config))).rejects.toMatchObject({ statusCode: 404 });
  await pushImage(doomed, { tag: "three" });
  await client.deleteRepository("doomed");

  expect(left.map(({ name }) => name)).toEqual(["two"]);
  await expect(client.getRepository("doomed").getProperties()).rejects.toMatchObject({ statusCode: 404 });
});

it("fails a chosen pull as the fault plan tells (local/faults: service registry)", async () => {
  await pushImage(images, { tag: "faulty" });
  const action = { kind: "fail", status: 429, code: "TOOMANYREQUESTS", message: "slow down" } as const;
  fixture.faults.arm({
    service: "registry",
    operation: "^pull manifest$",
    subject: "team/app:faulty",
    stage: "before",
    skip: 0,
    times: 1,
    action,
  });

  const pulling = images.getManifest("faulty");

  await expect(pulling).rejects.toMatchObject({ statusCode: 429 });
  expect((await images.getManifest("faulty")).digest).toMatch(/^sha256:/);
});
