import { z } from "zod";
import { refused } from "./cli-error";
import { HttpSender } from "./http";

/** What a deployment tells anybody: what a client needs before it has a token. */
const Deployment = z.object({
  tenantId: z.guid(),
  audience: z.string().min(1),
  clientId: z.string().optional(),
});

export async function readDeployment(apiUrl: string, ca: string | undefined): Promise<z.infer<typeof Deployment>> {
  const url = `${apiUrl}/api/deployment`;
  const { status, body } = await new HttpSender({ ca }).send({ method: "GET", url });
  const facts = Deployment.safeParse(body);
  if (status === 200 && facts.success) return facts.data;
  throw refused(`${apiUrl} is no deployment of Corral: GET /api/deployment answered ${status}`);
}
