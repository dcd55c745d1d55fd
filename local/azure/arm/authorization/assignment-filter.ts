import { ArmError } from "../arm-error";

export interface AssignmentFilter {
  /** Leaves out what lies below the scope. */
  readonly isAtScope: boolean;
  readonly principalId?: string | undefined;
  /** The principal, and the groups that it is in. */
  readonly assignedTo?: string | undefined;
}

/** The filters that Azure has, and no others: https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest */
export function parseAssignmentFilter(text: string | null): AssignmentFilter {
  const filter = (text ?? "").trim();
  if (filter === "") return { isAtScope: false };
  const principal = /^principalId\s+eq\s+'([^']+)'$/i.exec(filter)?.[1];
  if (principal !== undefined) return { isAtScope: false, principalId: principal };
  const terms = filter.split(/\s+and\s+/i);
  const holders = terms.flatMap((term) => /^assignedTo\('([^']+)'\)$/i.exec(term)?.[1] ?? []);
  const atScope = terms.filter((term) => /^atScope\(\)$/i.test(term));
  if (holders.length + atScope.length === terms.length && holders.length <= 1 && atScope.length <= 1)
    return { isAtScope: atScope.length === 1, assignedTo: holders[0] };
  throw new ArmError(400, {
    code: "UnsupportedQuery",
    message: `The filter '${filter}' is not supported. Supported filters are either 'atScope()' or 'principalId eq '{value}' or assignedTo('{value}')'.`,
  });
}
