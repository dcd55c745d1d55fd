import { readFileSync } from "node:fs";
import { join } from "node:path";
import { operationsDocument } from "../../../../src/domain/access/operations-document";

it("is what docs/operations.md says: after a change, run `npm run docs` (A1)", () => {
  expect(readFileSync(join(process.cwd(), "docs", "operations.md"), "utf8")).toBe(operationsDocument());
});
