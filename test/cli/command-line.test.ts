import { tableOf } from "../../cli/output";
import { guidOf } from "../../cli/deterministic-guid";
import { claimsOf } from "../../cli/http";
import { corral } from "./corral";

const env = { CORRAL_CONFIG_DIR: "/nonexistent" };

it.each([
  { args: ["nothing"], said: "unknown command nothing" },
  { args: ["roles"], said: "roles import" },
  { args: ["roles", "fly"], said: "roles import" },
  { args: ["secret", "set"], said: "NAME is missing" },
  { args: ["jobs", "surplus"], said: "takes no 'surplus'" },
  { args: ["jobs", "--wait"], said: "jobs has no --wait" },
  { args: ["jobs", "--colour"], said: "--colour" },
  { args: ["submit", "no-such-file"], said: "no-such-file" },
  { args: ["login", "--sign-in", "password", "--api", "https://x.invalid"], said: "service-principal" },
  { args: ["jobs", "--stack", "no-such-stack"], said: "npm start" },
])("refuses $args on one line that says what to do", async ({ args, said }) => {
  const end = await corral(args, { env });

  expect([end.code, end.stdout, end.stderr.split("\n").length]).toEqual([2, "", 2]);
  expect(end.stderr).toContain(said);
});

it("says that a deployment does not answer", async () => {
  const end = await corral(["login", "--api", "http://127.0.0.1:1"], { env });

  expect([end.code, end.stderr]).toEqual([
    4,
    expect.stringMatching(/^corral: http:\/\/127\.0\.0\.1:1 does not answer.*\n$/),
  ]);
});

it.each([[["--help"]], [["help"]], [["secret", "--help"]], [["help", "secret"]], [["secret", "set", "--help"]]])(
  "explains itself: %j",
  async (args) => {
    const end = await corral(args, { env });

    expect([end.code, end.stderr]).toEqual([0, ""]);
    expect(end.stdout).toContain("secret set NAME");
  },
);

it("aligns columns, and lets no name of a stranger's move the cursor", () => {
  expect(
    tableOf(
      ["A", "LONG"],
      [
        ["xyz", "1"],
        ["\u001b[2J", undefined],
      ],
    ),
  ).toBe("A     LONG\nxyz   1\n?[2J\n");
});

// Computed by Python's uuid.uuid5 with the namespace of ARM's guid().
it("makes the GUIDs that templates make", () => {
  expect(guidOf("a", "b", "c")).toBe("a98fa280-e03f-5afa-8d8e-92d0a9c201e8");
});

it.each([
  { challenge: 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="', claims: '{"a":1}' },
  { challenge: 'Bearer realm="", claims="eyJhIjoxfQ==", error="insufficient_claims"', claims: '{"a":1}' },
  { challenge: 'Bearer error="invalid_token", claims="eyJhIjoxfQ=="', claims: undefined },
  { challenge: 'Basic error="insufficient_claims", claims="eyJhIjoxfQ=="', claims: undefined },
  { challenge: undefined, claims: undefined },
])("reads the claims of $challenge", ({ challenge, claims }) => {
  expect(claimsOf(challenge)).toBe(claims);
});
