import type { DatabaseSync } from "node:sqlite";
import { JsonTable } from "../store/json-table";

interface Membership {
  readonly groupId: string;
  readonly memberId: string;
}

const keyOf = (groupId: string, memberId: string): string => `${groupId} ${memberId}`.toLowerCase();

/** Who is in which group. Groups may be in groups: roles and claims count through all levels. */
export class GroupMembers {
  private readonly table: JsonTable<Membership>;
  private readonly groupsOfMember = new Map<string, Set<string>>();

  constructor(database: DatabaseSync) {
    this.table = new JsonTable(database, "groupMembers");
    for (const membership of this.table.values()) this.index(membership);
  }

  add(groupId: string, memberId: string): void {
    this.index(this.table.set(keyOf(groupId, memberId), { groupId, memberId }));
  }

  remove(groupId: string, memberId: string): boolean {
    this.groupsOfMember.get(memberId.toLowerCase())?.delete(groupId.toLowerCase());
    return this.table.delete(keyOf(groupId, memberId));
  }

  membersOf(groupId: string): string[] {
    const wanted = groupId.toLowerCase();
    return this.table
      .values()
      .filter((one) => one.groupId.toLowerCase() === wanted)
      .map(({ memberId }) => memberId);
  }

  /** Every group that the member is in, directly or through another group. */
  groupsOf(memberId: string): string[] {
    const found = new Set<string>();
    const open = [memberId.toLowerCase()];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const group of this.groupsOfMember.get(next) ?? []) {
        if (found.has(group)) continue;
        found.add(group);
        open.push(group);
      }
    }
    return [...found];
  }

  private index({ groupId, memberId }: Membership): void {
    const groups = this.groupsOfMember.get(memberId.toLowerCase()) ?? new Set();
    this.groupsOfMember.set(memberId.toLowerCase(), groups.add(groupId.toLowerCase()));
  }
}
