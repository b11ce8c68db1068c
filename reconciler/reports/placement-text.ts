// Why an object is in other clusters than before, in lines of text.
import type { PlacementChange } from "../../api/plan-report.ts";
import { clusterList } from "./words.ts";

const MOST_REASONS = 6;

/** The one reason of all first, then those of clusters, then what refuses others. */
export function placementReasons({ clusters, summary, refused = [] }: PlacementChange): string[] {
  const groups = Map.groupBy(
    clusters.filter(({ reason }) => reason !== undefined),
    ({ reason, there }) => JSON.stringify([reason, there]),
  );
  const told = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, names: clusterList(group.map(({ cluster }) => cluster)) }];
  });
  const lines = [
    ...told.map(({ names, there, reason }) => `${WORDS[there]} ${names}: ${reason}`),
    ...refused.map(({ clusters: names, reason }) => `not in ${clusterList(names)}: ${reason}`),
  ];
  const more = lines.length - MOST_REASONS;
  return [
    ...(summary === undefined ? [] : [summary]),
    ...lines.slice(0, MOST_REASONS),
    ...(more > 0 ? [`and ${more} more reasons (-o json)`] : []),
  ];
}

const WORDS = { came: "new in", goes: "gone from", stays: "in" } as const;
