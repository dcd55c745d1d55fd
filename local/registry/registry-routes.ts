import { appendUpload, cancelUpload, deleteBlob, finishUpload, getBlob, startUpload, uploadStatus } from "./blobs";
import { deleteManifest, getManifest, putManifest } from "./manifests";
import {
  deleteRepository,
  deleteTag,
  describeManifest,
  describeRepository,
  getTag,
  listManifests,
  listRepositories,
  listTagNames,
  listTags,
  refuseAttributes,
} from "./metadata";
import { notFound, unsupported } from "./registry-error";
import { type RegistryReply, type RegistryRequest, requireRepositoryName } from "./registry-request";
import type { TokenAccess } from "./registry-tokens";

export interface RegistryRoute {
  /** For the fault plan: `pull manifest`, `push blob`. */
  readonly operation: string;
  readonly repository: string;
  readonly reference: string;
  readonly needed: TokenAccess | undefined;
  readonly handle: (request: RegistryRequest) => RegistryReply | Promise<RegistryReply>;
}

interface Rule {
  readonly pattern: RegExp;
  readonly methods: Readonly<
    Record<string, readonly [operation: string, actions: string, handle: RegistryRoute["handle"]]>
  >;
}

const CATALOG: TokenAccess = { type: "registry", name: "catalog", actions: ["*"] };
const refused = ["change attributes of", "metadata_write", refuseAttributes] as const;

/** The first that fits is it: a repository's name may have slashes, so what stands behind it is looked for from the end. */
const RULES: readonly Rule[] = [
  {
    pattern: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
    methods: {
      GET: ["pull manifest", "pull", getManifest],
      HEAD: ["pull manifest", "pull", getManifest],
      PUT: ["push manifest", "pull,push", putManifest],
      DELETE: ["delete manifest", "delete", deleteManifest],
    },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
    methods: { POST: ["start upload", "pull,push", startUpload] },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/,
    methods: {
      GET: ["see upload", "pull,push", uploadStatus],
      PATCH: ["push blob", "pull,push", appendUpload],
      PUT: ["push blob", "pull,push", finishUpload],
      DELETE: ["cancel upload", "pull,push", cancelUpload],
    },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
    methods: {
      GET: ["pull blob", "pull", getBlob],
      HEAD: ["pull blob", "pull", getBlob],
      DELETE: ["delete blob", "delete", deleteBlob],
    },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/tags\/list$/,
    methods: { GET: ["list tags", "metadata_read", listTagNames] },
  },
  {
    pattern: /^\/acr\/v1\/(?<name>.+)\/_tags$/,
    methods: { GET: ["list tags", "metadata_read", listTags] },
  },
  {
    pattern: /^\/acr\/v1\/(?<name>.+)\/_tags\/(?<reference>[^/]+)$/,
    methods: {
      GET: ["get tag", "metadata_read", getTag],
      PATCH: refused,
      DELETE: ["delete tag", "delete", deleteTag],
    },
  },
  {
    pattern: /^\/acr\/v1\/(?<name>.+)\/_manifests$/,
    methods: { GET: ["list manifests", "metadata_read", listManifests] },
  },
  {
    pattern: /^\/acr\/v1\/(?<name>.+)\/_manifests\/(?<reference>[^/]+)$/,
    methods: {
      GET: ["get manifest", "metadata_read", describeManifest],
      PATCH: refused,
      DELETE: ["delete manifest", "delete", deleteManifest],
    },
  },
  {
    pattern: /^\/acr\/v1\/(?<name>[^_].*)$/,
    methods: {
      GET: ["get repository", "metadata_read", describeRepository],
      PATCH: refused,
      DELETE: ["delete repository", "delete", deleteRepository],
    },
  },
];

export function findRegistryRoute(method: string, path: string): RegistryRoute {
  if (path === "/v2" || path === "/v2/") return pingRoute(method);
  if (/^\/(v2|acr\/v1)\/_catalog$/.test(path)) return catalogRoute(method, path);
  const decoded = decodePath(path);
  for (const { pattern, methods } of RULES) {
    const found = pattern.exec(decoded)?.groups;
    if (!found) continue;
    const name = requireRepositoryName(found["name"] ?? "");
    const rule = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!rule) throw unsupported(method);
    const [operation, actions, handle] = rule;
    const needed = { type: "repository", name, actions: actions.split(",") };
    return { operation, repository: name, reference: found["reference"] ?? "", needed, handle };
  }
  throw notFound();
}

/** Asks for nothing but a token: by this clients find out where to get one. */
function pingRoute(method: string): RegistryRoute {
  if (method !== "GET" && method !== "HEAD") throw unsupported(method);
  const handle = (): RegistryReply => ({ status: 200, body: {} });
  return { operation: "ping", repository: "", reference: "", needed: undefined, handle };
}

function catalogRoute(method: string, path: string): RegistryRoute {
  if (method !== "GET") throw unsupported(method);
  const handle = (request: RegistryRequest): RegistryReply => listRepositories(request, path);
  return { operation: "list repositories", repository: "", reference: "", needed: CATALOG, handle };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A broken percent sequence names nothing.
    throw notFound();
  }
}
