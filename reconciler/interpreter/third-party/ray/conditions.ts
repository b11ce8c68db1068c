import type { MemberStatus } from "../../aggregation.ts";
import { listAt } from "../../field-access.ts";

/** The conditions of all members one after the other, as they are. Throws `interpreter-field-malformed`. */
export function conditionsOfAll(members: readonly MemberStatus[]): readonly unknown[] {
  return members.flatMap(({ status }) => listAt(status, "conditions"));
}
