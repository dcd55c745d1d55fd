import { spawnSync } from "node:child_process";
import { bootScriptOf } from "../../../src/domain/boot-script";

const config = { apiUrl: "https://corral.test/x", org: "demo", machineId: "m000000001", bootNonce: "n0nce-_Value" };
const script = bootScriptOf(config);

function checkWith(tool: string, args: readonly string[]) {
  return spawnSync(tool, [...args], { input: script, encoding: "utf8" });
}

it("is a script that bash can read", () => {
  const { status, stderr } = checkWith("bash", ["-n", "-"]);

  expect(stderr).toBe("");
  expect(status).toBe(0);
});

it("has nothing that shellcheck complains of, where shellcheck is installed", () => {
  const { status, stdout, error } = checkWith("shellcheck", ["--severity=warning", "-"]);
  if (error) process.stderr.write("shellcheck is not installed: the boot script was read by bash -n only\n");

  expect(error ? "" : stdout).toBe("");
  expect(error ? 0 : status).toBe(0);
});

it("holds its settings as one line of JSON", () => {
  const lines = script.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));

  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([config]);
});

it("lets the shell read a setting out of that line, and nothing run in it", () => {
  const hostile = { ...config, apiUrl: "https://a/$(touch /tmp/never)`id`'x" };
  const json = bootScriptOf(hostile).split("CORRAL'\n")[1]?.split("\nCORRAL")[0] ?? "";
  const heredoc = spawnSync("bash", ["-c", `cat <<'CORRAL'\n${json}\nCORRAL`], { encoding: "utf8" });

  expect(JSON.parse(heredoc.stdout)).toEqual(hostile);
});

it("carries no secret but the nonce, and that once (I9)", () => {
  expect(script.split(config.bootNonce)).toHaveLength(2);
  expect(script.replace(config.bootNonce, "")).not.toMatch(
    /AccountKey|SharedAccess|password=|client_secret|BEGIN [A-Z ]*PRIVATE KEY/,
  );
});

it("fits into custom data, which Azure limits to 64 KB in base64", () => {
  expect(Buffer.from(script).toString("base64").length).toBeLessThan(64 * 1024);
});
