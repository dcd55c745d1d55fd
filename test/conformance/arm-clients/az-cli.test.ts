import {
  type AzureFixture,
  createEstate,
  GROUP,
  startFixture,
  stopFixture,
  SUBSCRIPTION,
} from "../../local/azure/azure-fixture";
import { AzSession } from "./az-session";
import { findAz, itWith } from "./installed-clients";

const az = findAz();
const itAz = itWith(az, "the cases of Azure's command line need `apt-get install azure-cli` (Debian).");
let fixture: AzureFixture | undefined;
let session: AzSession | undefined;

beforeAll(async () => {
  if (!az) return;
  fixture = await startFixture();
  await createEstate(fixture);
  session = new AzSession(az, fixture.azure);
  session.writeCloud();
});
afterAll(async () => {
  session?.close();
  if (fixture) await stopFixture(fixture);
});

itAz("signs in and lists the resource groups (az 2.45: login --service-principal, group list)", async () => {
  const owner = fixture?.owner ?? { clientId: "", clientSecret: "" };

  const subscriptions = await session?.signIn(owner);
  const groups = await session?.run("group", "list", "--query", "[].name");

  expect(subscriptions).toEqual([expect.objectContaining({ id: SUBSCRIPTION, state: "Enabled" })]);
  expect(groups).toEqual([GROUP]);
});
