import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServicePrincipal } from "../../../local/azure/azure-options";
import { killProcessesOf } from "../../../local/vm/processes";
import { type VmFolder, vmFolderOf, writeBootFiles } from "../../../local/vm/vm-folder";
import { type AzureFixture, startFixture, stopFixture } from "../../local/azure/azure-fixture";
import { builtFile } from "../../local/vm/build-folder";
import { gpuVm } from "../../local/vm/test-fleet";
import {
  contentOf,
  createRegistry,
  digestOf,
  jsonOf,
  pushImage,
  refreshTokenOf,
  type RegistryUnderTest,
} from "./registry-fixture";

let fixture: AzureFixture;
let registry: RegistryUnderTest;
let folder: string;
let vm: VmFolder;
let image: string;
let digest: string;

beforeAll(async () => {
  fixture = await startFixture();
  registry = await createRegistry(fixture);
  image = `${registry.loginServer}/team/app:v1`;
  ({ digest } = await pushImage(contentOf(fixture, registry, { repository: "team/app" }), { tag: "v1" }));
});
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "corral-docker-")));
  vm = vmFolderOf(folder, gpuVm("vm1").resourceId);
  const programs = {
    nodePath: process.execPath,
    standInFile: builtFile("local/vm/docker-stand-in.js"),
    caFile: fixture.azure.caFile,
  };
  writeBootFiles(vm, { vm: gpuVm("vm1"), osBootId: "boot-1", config: "{}" }, programs);
});
afterEach(async () => {
  fixture.faults.disarmAll();
  await killProcessesOf(folder);
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => stopFixture(fixture));

interface End {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function docker(args: readonly string[], input = ""): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>();
  const env = { PATH: "/usr/bin:/bin", HOME: vm.root };
  const child = execFile(join(vm.bin, "docker"), args, { env }, (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
  );
  child.stdin?.end(input);
  return promise;
}

/** As the agent of a machine does it: the token of the identity becomes a refresh token, and that the password. */
async function login(as: ServicePrincipal = fixture.owner): Promise<End> {
  const { refresh_token: password } = jsonOf(await refreshTokenOf(fixture, registry, as)) as { refresh_token: string };
  const user = "00000000-0000-0000-0000-000000000000";
  return docker(["login", "--username", user, "--password-stdin", registry.loginServer], password);
}

const puller = (): ServicePrincipal => {
  const principal = fixture.azure.addServicePrincipal({ displayName: "machine" });
  fixture.azure.grant({ principalId: principal.objectId, role: "AcrPull", scope: registry.id });
  return principal;
};

it("pulls an image by tag and by digest with a refresh token of the machine's identity (docs: Authenticate with a managed identity; docker login)", async () => {
  const loggedIn = await login(puller());

  const pulls = [await docker(["pull", "--quiet", image]), await docker(["pull", "--quiet", `${image}@${digest}`])];
  const run = await docker(["run", "--detach", "--name", "c1", "--pull", "never", image, "true"]);

  expect(loggedIn).toMatchObject({ code: 0, stdout: "Login Succeeded\n" });
  expect(pulls.map(({ stdout }) => stdout)).toEqual([`${image}\n`, `${image}@${digest}\n`]);
  expect(run.code).toBe(0);
  expect(statSync(join(vm.root, ".docker", "config.json")).mode & 0o777).toBe(0o600);
});

it("refuses a login with a token that is none (docker login against a registry of Azure)", async () => {
  const user = "00000000-0000-0000-0000-000000000000";

  const end = await docker(["login", "--username", user, "--password-stdin", registry.loginServer], "not-a-token");

  expect(end.code).toBe(1);
  expect(end.stderr).toBe(
    `Error response from daemon: Get "https://${registry.loginServer}/v2/": unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.\n`,
  );
});

it("says in Docker's words who is not logged in, which tag is not there, and which repository (dotnet/tye#1185, Azure/acr#597; moby: translatePullError)", async () => {
  const anonymous = await docker(["pull", "--quiet", image]);
  await login();

  const tag = await docker(["pull", "--quiet", `${registry.loginServer}/team/app:none`]);
  const repository = await docker(["pull", "--quiet", `${registry.loginServer}/none:v1`]);

  expect([anonymous, tag, repository].map(({ code }) => code)).toEqual([1, 1, 1]);
  expect(anonymous.stderr).toBe(
    `Error response from daemon: Head "https://${registry.loginServer}/v2/team/app/manifests/v1": unauthorized: authentication required, visit https://aka.ms/acr/authorization for more information.\n`,
  );
  expect(tag.stderr).toBe(
    `Error response from daemon: manifest for ${registry.loginServer}/team/app:none not found: manifest unknown: manifest tagged by "none" is not found\n`,
  );
  expect(repository.stderr).toContain(`repository ${registry.loginServer}/none:v1 not found: name unknown`);
});

it("runs no image of the registry that was not pulled (docker run --pull never)", async () => {
  const end = await docker(["run", "--detach", "--pull", "never", image, "true"]);

  expect(end).toMatchObject({ code: 125, stderr: `docker: Error response from daemon: No such image: ${image}\n` });
});

it("passes on that a registry is too busy, and finds no digest that is not there (docker pull, distribution-spec: Error Codes)", async () => {
  await login();
  const busy = { kind: "fail", status: 429, code: "TOOMANYREQUESTS", message: "slow down" } as const;
  fixture.faults.arm({
    service: "registry",
    operation: "^pull blob$",
    stage: "before",
    skip: 0,
    times: 1,
    action: busy,
  });

  const throttled = await docker(["pull", "--quiet", image]);
  const wrong = await docker(["pull", "--quiet", `${image}@sha256:${"0".repeat(64)}`]);
  const good = await docker(["pull", "--quiet", image]);

  expect(throttled.stderr).toBe("Error response from daemon: toomanyrequests: slow down\n");
  expect(wrong.stderr).toContain("manifest unknown");
  expect(good.code).toBe(0);
});

it("says that nobody listens where a registry was (docker pull)", async () => {
  const gone = await docker(["pull", "--quiet", "localhost:1/team/app:v1"]);

  expect(gone.stderr).toBe(
    'Error response from daemon: Get "https://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused\n',
  );
});

it("takes no manifest and no layer whose bytes are not those of their digest (distribution-spec: Pulling manifests, Verification)", async () => {
  const config = `sha256:${"1".repeat(64)}`;
  const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: config, size: 1 }, layers: [] });
  const [key, cert] = ["server.key", "server.pem"].map((file) => readFileSync(join(fixture.folder, "tls", file)));
  const liar = createServer({ key, cert }, (_request, response) => void response.end(manifest));
  await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
  const { port } = liar.address() as AddressInfo;

  const byTag = await docker(["pull", "--quiet", `localhost:${port}/a:v1`]);
  const byDigest = await docker(["pull", "--quiet", `localhost:${port}/a@${digestOf(Buffer.from(manifest))}`]);
  liar.closeAllConnections();
  await new Promise((resolve) => liar.close(resolve));

  expect(byTag.stderr).toContain("manifest verification failed for digest");
  expect(byDigest.stderr).toContain(`filesystem layer verification failed for digest ${config}`);
});
