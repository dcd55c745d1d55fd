import { customDataConfig } from "../../../local/vm/custom-data";
import { gpuCountOf } from "../../../local/vm/gpu-count";
import { imageProblemOf } from "../../../local/vm/image-reference";
import { withHostPaths } from "../../../local/vm/mount-paths";

const SCRIPT = `#!/bin/sh
set -eu
# BEGIN CORRAL CONFIG
cat > /etc/corral/agent.json <<'CORRAL'
{"apiUrl":"http://x",
 "org":"contoso"}
CORRAL
# END CORRAL CONFIG
systemctl start corral`;

it.each([
  { what: "plain JSON", text: ' {"org":"contoso"}\n', config: { org: "contoso" } },
  { what: "a boot script", text: SCRIPT, config: { apiUrl: "http://x", org: "contoso" } },
  {
    what: "a boot script with Windows line ends",
    text: SCRIPT.replaceAll("\n", "\r\n"),
    config: { apiUrl: "http://x", org: "contoso" },
  },
])("finds the configuration in $what", ({ text, config }) => {
  expect(JSON.parse(customDataConfig(text) ?? "")).toEqual(config);
});

it.each(["", "#!/bin/sh\necho hi", "{not json", SCRIPT.replace('{"apiUrl"', '{apiUrl"')])(
  "finds no configuration in %j",
  (text) => {
    expect(customDataConfig(text)).toBeUndefined();
  },
);

it.each([
  { size: "Standard_NC4as_T4_v3", gpus: 1 },
  { size: "Standard_NC64as_T4_v3", gpus: 4 },
  { size: "Standard_NC48ads_A100_v4", gpus: 2 },
  { size: "Standard_NC80adis_H100_v5", gpus: 2 },
  { size: "Standard_NV6ads_A10_v5", gpus: 1 },
  { size: "Standard_NV72ads_A10_v5", gpus: 2 },
  { size: "Standard_ND96isr_H200_v5", gpus: 8 },
  { size: "Standard_NC24s_v3", gpus: 4 },
  { size: "Standard_D4s_v5", gpus: 0 },
])("counts $gpus GPUs in $size", ({ size, gpus }) => {
  expect(gpuCountOf(size)).toBe(gpus);
});

it.each([
  { text: "/data", result: "/host/d" },
  { text: "--out=/data/x.bin", result: "--out=/host/d/x.bin" },
  { text: "cp /data/a /data/models/b", result: "cp /host/d/a /host/m/b" },
  { text: "/database /my/data ./data", result: "/database /my/data ./data" },
])("turns '$text' into '$result'", ({ text, result }) => {
  const mounts = [
    { hostPath: "/host/d", containerPath: "/data" },
    { hostPath: "/host/m", containerPath: "/data/models" },
  ];

  expect(withHostPaths(text, mounts)).toBe(result);
});

it.each(["train", "contoso.azurecr.io/team/train:1.0", "localhost:5000/a_b/c-d@sha256:" + "0".repeat(64)])(
  "takes %s for an image",
  (image) => {
    expect(imageProblemOf(image)).toBeUndefined();
  },
);

it.each(["", "-x", "a//b", "a:b:c", "a@sha256:1"])("takes %j for no image", (image) => {
  expect(imageProblemOf(image)).toBe("invalid reference format");
});
