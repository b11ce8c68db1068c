// What another Sync applies: the whole Sync is refused that wants it as well.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { count, objectName } from "../../reports/words.ts";
import { placeOf, reportedObject } from "../report-words.ts";
import type { ReviewedChange } from "./reviewed-change.ts";

/** Objects of one Sync that are named one by one. */
const MOST_NAMED = 10;

export function takenObject({ taken }: ReviewedChange): readonly ReportFinding[] {
  return [...Map.groupBy(taken, ({ sync, owner }) => `${sync} ${owner}`).values()].flatMap((group) => {
    const named = group.slice(0, MOST_NAMED).map(
      ({ object, origin, sync, owner }): ReportFinding => ({
        rule: "object-of-another-sync",
        severity: "error",
        object: reportedObject(object),
        place: placeOf(origin),
        message: `Sync ${sync} would apply nothing of its folder: Sync ${owner} applies ${objectName(object)} already`,
        advice: `take it out of one of the two; once Sync ${owner} wants it no longer, it hands it over`,
      }),
    );
    const [first] = group;
    const more = group.length - named.length;
    if (first === undefined || more === 0) return named;
    const message = `Sync ${first.owner} applies ${count(more, "more object")} of Sync ${first.sync}`;
    return [...named, { rule: "object-of-another-sync", severity: "error" as const, message }];
  });
}
