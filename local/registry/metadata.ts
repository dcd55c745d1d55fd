import { z } from "zod";
import { manifestUnknown, nameUnknown, tagUnknown, unsupported } from "./registry-error";
import { linkHeader, pageOf, type RegistryReply, type RegistryRequest } from "./registry-request";
import type { ManifestRow, TagRow } from "./registry-store";

/** The lists of the distribution API, and Azure's own `/acr/v1`, which tells more. */

const UNLOCKED = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true } as const;

export function listRepositories(request: RegistryRequest, path: string): RegistryReply {
  const { n, ...page } = pageOf(request);
  const names = request.store.repositories(request.registry.instance, page);
  const repositories = names.slice(0, n);
  const more = names.length > n ? linkHeader(path, { n, last: repositories.at(-1) ?? "", query: request.query }) : {};
  return { status: 200, headers: more, body: { repositories } };
}

export function listTagNames(request: RegistryRequest): RegistryReply {
  const { tags, more } = tagPage(request, `/v2/${request.repository.name}/tags/list`);
  return { status: 200, headers: more, body: { name: request.repository.name, tags: tags.map(({ name }) => name) } };
}

export function listTags(request: RegistryRequest): RegistryReply {
  const { tags, more } = tagPage(request, `/acr/v1/${request.repository.name}/_tags`);
  const sorted = inOrder(tags, request.query.get("orderby"));
  return { status: 200, headers: more, body: { ...place(request), tags: sorted.map(tagView) } };
}

export function getTag(request: RegistryRequest): RegistryReply {
  const { store, repository, reference } = request;
  requireRepository(request);
  const digest = store.findManifest(repository, reference)?.digest;
  const tag = store.tags(repository, { after: "", limit: 1000, digest }).find(({ name }) => name === reference);
  if (!tag) throw tagUnknown(reference);
  return { status: 200, body: { ...place(request), tag: tagView(tag) } };
}

export function deleteTag(request: RegistryRequest): RegistryReply {
  requireRepository(request);
  if (!request.store.deleteTag(request.repository, request.reference)) throw tagUnknown(request.reference);
  return { status: 202 };
}

export function listManifests(request: RegistryRequest): RegistryReply {
  requireRepository(request);
  const { n, ...page } = pageOf(request);
  const found = request.store.manifests(request.repository, page);
  const shown = found.slice(0, n);
  const path = `/acr/v1/${request.repository.name}/_manifests`;
  const more = found.length > n ? linkHeader(path, { n, last: shown.at(-1)?.digest ?? "", query: request.query }) : {};
  const times = shown.map((one) => ({ ...one, lastUpdateTime: one.createdTime }));
  const sorted = inOrder(times, request.query.get("orderby"));
  return {
    status: 200,
    headers: more,
    body: { ...place(request), manifests: sorted.map((one) => manifestView(request, one)) },
  };
}

export function describeManifest(request: RegistryRequest): RegistryReply {
  requireRepository(request);
  const found = request.store.describeManifest(request.repository, request.reference);
  if (!found) throw manifestUnknown(request.reference);
  return { status: 200, body: { ...place(request), manifest: manifestView(request, found) } };
}

export function describeRepository(request: RegistryRequest): RegistryReply {
  requireRepository(request);
  const { manifests, tags } = request.store.counts(request.repository);
  const times = request.store
    .manifests(request.repository, { after: "", limit: 1000 })
    .map(({ createdTime }) => createdTime)
    .sort();
  return {
    status: 200,
    body: {
      ...place(request),
      createdTime: times[0],
      lastUpdateTime: times.at(-1),
      manifestCount: manifests,
      tagCount: tags,
      changeableAttributes: { ...UNLOCKED, teleportEnabled: false },
    },
  };
}

export function deleteRepository(request: RegistryRequest): RegistryReply {
  requireRepository(request);
  const { store, repository, files } = request;
  const manifestsDeleted = store.manifests(repository, { after: "", limit: 1000 }).map(({ digest }) => digest);
  const tagsDeleted = store.tags(repository, { after: "", limit: 1000 }).map(({ name }) => name);
  for (const digest of store.deleteRepository(repository)) files.remove(digest);
  return { status: 202, body: { manifestsDeleted, tagsDeleted } };
}

export function refuseAttributes(): never {
  throw unsupported("Changing the attributes of a repository, tag or manifest");
}

function tagPage(request: RegistryRequest, path: string) {
  requireRepository(request);
  const { n, ...page } = pageOf(request);
  const digest = request.query.get("digest") ?? undefined;
  const found = request.store.tags(request.repository, { ...page, digest });
  const tags = found.slice(0, n);
  const more = found.length > n ? linkHeader(path, { n, last: tags.at(-1)?.name ?? "", query: request.query }) : {};
  return { tags, more };
}

function requireRepository({ store, repository }: RegistryRequest): void {
  if (!store.isRepository(repository)) throw nameUnknown(repository.name);
}

const place = ({ registry, repository }: RegistryRequest) => ({
  registry: registry.loginServer,
  imageName: repository.name,
});

/** Azure sorts what it has before it cuts pages; here a page is sorted. */
function inOrder<Row extends { readonly lastUpdateTime: string }>(rows: readonly Row[], order: string | null): Row[] {
  if (order !== "timeasc" && order !== "timedesc") return [...rows];
  const sign = order === "timeasc" ? 1 : -1;
  return rows.toSorted((a, b) => sign * a.lastUpdateTime.localeCompare(b.lastUpdateTime));
}

const tagView = ({ name, digest, createdTime, lastUpdateTime }: TagRow) => ({
  name,
  digest,
  createdTime,
  lastUpdateTime,
  signed: false,
  changeableAttributes: UNLOCKED,
});

const Platform = z.looseObject({ architecture: z.string(), os: z.string() });
const Index = z.looseObject({
  manifests: z.array(z.looseObject({ digest: z.string(), platform: Platform.optional() })),
});

function manifestView(
  { store, repository }: RegistryRequest,
  { digest, mediaType, imageSize, createdTime, tags }: ManifestRow,
) {
  const content = store.findManifest(repository, digest)?.content.toString("utf8") ?? "{}";
  const index = Index.safeParse(JSON.parse(content));
  const references = index.success
    ? index.data.manifests.map((one) => ({
        digest: one.digest,
        architecture: one.platform?.architecture ?? "",
        os: one.platform?.os ?? "",
      }))
    : undefined;
  return {
    digest,
    imageSize,
    createdTime,
    lastUpdateTime: createdTime,
    mediaType,
    ...(references ? { references } : {}),
    tags,
    changeableAttributes: UNLOCKED,
  };
}
