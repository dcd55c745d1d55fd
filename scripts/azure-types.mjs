/* Writes test/conformance/arm/azure-types.json: what Azure's published types say of the resources that the simulator knows.
   Source: `azmcp bicepschema get` of @azure/mcp, which carries Azure.Bicep.Types.Az (MIT). It is no dependency (137 MB): it is
   installed into a temporary folder, or taken from the one that is named: node scripts/azure-types.mjs [folder]. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VERSION = "2.0.5";
const TARGET = join(import.meta.dirname, "../test/conformance/arm/azure-types.json");
const TYPES = [
  "Microsoft.Authorization/roleAssignments",
  "Microsoft.Authorization/roleDefinitions",
  "Microsoft.Compute/disks",
  "Microsoft.Compute/galleries",
  "Microsoft.Compute/galleries/images",
  "Microsoft.Compute/galleries/images/versions",
  "Microsoft.Compute/virtualMachines",
  "Microsoft.ContainerRegistry/registries",
  "Microsoft.EventGrid/systemTopics",
  "Microsoft.EventGrid/systemTopics/eventSubscriptions",
  "Microsoft.EventGrid/topics",
  "Microsoft.Insights/components",
  "Microsoft.Insights/diagnosticSettings",
  "Microsoft.KeyVault/vaults",
  "Microsoft.KeyVault/vaults/keys",
  "Microsoft.ManagedIdentity/userAssignedIdentities",
  "Microsoft.Network/natGateways",
  "Microsoft.Network/networkInterfaces",
  "Microsoft.Network/networkSecurityGroups",
  "Microsoft.Network/privateEndpoints",
  "Microsoft.Network/publicIPAddresses",
  "Microsoft.Network/virtualNetworks",
  "Microsoft.Network/virtualNetworks/subnets",
  "Microsoft.OperationalInsights/workspaces",
  "Microsoft.Resources/deployments",
  "Microsoft.Resources/resourceGroups",
  "Microsoft.Storage/storageAccounts",
  "Microsoft.Storage/storageAccounts/blobServices",
  "Microsoft.Storage/storageAccounts/blobServices/containers",
];

const environment = { ...process.env, AZURE_MCP_COLLECT_TELEMETRY: "false" };

function install(folder) {
  if (existsSync(join(folder, "node_modules/@azure/mcp"))) return;
  execFileSync("npm", ["install", "--prefix", folder, "--no-save", `@azure/mcp@${VERSION}`], {
    env: environment,
    stdio: "inherit",
  });
}

function ask(folder, type) {
  const program = join(folder, "node_modules/.bin/azmcp");
  // It exits with 1 for a type that it lacks, and says so in its JSON all the same.
  const { stdout } = spawnSync(program, ["bicepschema", "get", "--resource-type", type], {
    env: environment,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  // Log lines may stand before the JSON.
  return JSON.parse(stdout.slice(stdout.search(/^\{/m)));
}

const OPEN_UNION = /^(?:[^|]+ \| )+string(\[\])?$/;

/** A union that ends with `string` takes any: only that is kept of it. */
const reduceType = (type) => type.replace(OPEN_UNION, "string$1");

function reduceProperties(properties) {
  return Object.fromEntries(
    properties.map(({ name, type, flags }) => [name, reduceType(type) + (flags ? ` (${flags})` : "")]),
  );
}

function reduceObject({ properties = [], additionalPropertiesType, baseProperties, elements = [], discriminator }) {
  return {
    properties: reduceProperties(baseProperties ?? properties),
    ...(additionalPropertiesType ? { additional: reduceType(additionalPropertiesType) } : {}),
    ...(discriminator ? { discriminator, elements: elements.map((one) => reduceProperties(one.properties)) } : {}),
  };
}

const namesIn = (definition) =>
  [definition.properties, ...(definition.elements ?? [])]
    .flatMap((properties) => Object.values(properties))
    .concat(definition.additional ?? [])
    .map((type) => type.replace(/ \(.*\)$/, "").replaceAll("[]", ""));

/** Only what the body reaches; functions and their inputs are left out. */
function extract(described) {
  const resource = described.find(({ $type }) => $type === "Resource");
  const known = new Map(described.filter(({ $type }) => $type !== "Resource").map((one) => [one.name, one]));
  const body = reduceObject(resource.bodyType);
  const objects = {};
  const waiting = [body];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const name of namesIn(next)) {
      const found = known.get(name);
      if (!found?.$type.endsWith("Object") || objects[name]) continue;
      objects[name] = reduceObject(found);
      waiting.push(objects[name]);
    }
  }
  return { version: resource.name.split("@")[1], body, objects };
}

/** Types of one provider mostly describe the same objects: each is written once, and again where a type has its own. */
function share(types) {
  const shared = {};
  for (const [type, described] of Object.entries(types)) {
    const known = (shared[type.split("/")[0]] ??= {});
    const own = Object.entries(described.objects).filter(([name, definition]) => {
      known[name] ??= definition;
      return JSON.stringify(known[name]) !== JSON.stringify(definition);
    });
    described.objects = Object.fromEntries(own);
  }
  return shared;
}

const given = process.argv[2];
const folder = given ?? mkdtempSync(join(tmpdir(), "corral-azure-types-"));
try {
  install(folder);
  const answers = TYPES.map((type) => [type, ask(folder, type)]);
  const types = Object.fromEntries(
    answers.flatMap(([type, { status, results }]) =>
      status === 200 ? [[type, extract(results.BicepSchemaResult)]] : [],
    ),
  );
  const missing = Object.fromEntries(
    answers.flatMap(([type, { status, results }]) => (status === 200 ? [] : [[type, results.message]])),
  );
  const source = {
    package: `@azure/mcp ${VERSION}`,
    command: "azmcp bicepschema get --resource-type <type>",
    of: "Azure.Bicep.Types.Az (MIT)",
    written: new Date().toISOString().slice(0, 10),
  };
  writeFileSync(TARGET, `${JSON.stringify({ source, missing, types, shared: share(types) })}\n`);
} finally {
  if (!given) rmSync(folder, { recursive: true, force: true });
}
