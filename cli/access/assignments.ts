import { z } from "zod";
import { orgPath, type Service } from "../api";

/** An assignment as the API lists it: an organization's own, wider ones, and those that settings make. */
export const ShownAssignment = z.object({
  id: z.string(),
  principalId: z.string(),
  principalType: z.string().optional(),
  role: z.string(),
  scope: z.string(),
  fromSettings: z.boolean().optional(),
});
export type ShownAssignment = z.infer<typeof ShownAssignment>;

export async function assignmentsIn(api: Service, org: string): Promise<ShownAssignment[]> {
  return z.array(ShownAssignment).parse(await api.list(orgPath(org, "roleAssignments")));
}
