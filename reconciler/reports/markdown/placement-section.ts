// Where objects are before and after, and why.
import type { ObjectReport, PlacementChange } from "../../../api/plan-report.ts";
import { codeNames, longList } from "./blocks.ts";
import { firstItems, objectCode, placeCode, type Style } from "./style.ts";

const SHOWN = 8;
const MOST_GROUPS = 8;

type ClusterChange = PlacementChange["clusters"][number];

/** A list of the objects that are placed differently. */
export function placementSection(objects: readonly ObjectReport[], style: Style): string[] {
  const placed = objects.filter(({ placement }) => placement !== undefined);
  const items = firstItems(placed, style, "placements", (object) => placementText(object, style));
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}

function placementText({ object, placement }: ObjectReport, style: Style): string {
  const { text, detail } = style;
  const { policyBefore, policyAfter, policyPlace, clusters = [], summary, refused = [] } = placement ?? {};
  const groups = groupsOf(clusters, detail.folded);
  const shown = groups.slice(0, Math.min(MOST_GROUPS, detail.most));
  const lines = shown.map((group) => clusterText(group, style));
  const left = clusters.length - shown.reduce((sum, group) => sum + group.length, 0);
  if (left > 0) lines.push(`and ${left} more clusters`);
  if (!detail.folded)
    for (const { clusters: names, reason } of refused)
      lines.push(`not in ${codeNames(text, names, "line", 3)}: ${text.prose(reason)}`);
  const place = policyPlace === undefined ? "" : ` (${placeCode(policyPlace, style)})`;
  const policy = policyText(policyBefore, policyAfter, style);
  return [
    `${objectCode(object, style)}${policy === "" ? "" : `, ${policy}${place}`}${summary === undefined ? "" : `: ${text.prose(summary)}`}`,
    ...lines.map((line) => `- ${line}`),
  ].join("\n");
}

function policyText(before: string | undefined, after: string | undefined, { text }: Style): string {
  if (before === after) return after === undefined ? "" : `policy ${text.code(after)}`;
  if (before === undefined) return `by policy ${text.code(after ?? "")}`;
  return after === undefined
    ? `no policy any more, before ${text.code(before)}`
    : `policy ${text.code(before)} → ${text.code(after)}`;
}

function clusterText(group: readonly ClusterChange[], { text }: Style): string {
  const [first] = group;
  if (first === undefined) return "";
  const { reason } = first;
  const numbers = numbersText(first);
  const names = codeNames(
    text,
    group.map(({ cluster }) => cluster),
    "line",
    3,
  );
  return `${names}: ${numbers}${reason === undefined ? "" : `, ${text.prose(reason)}`}`;
}

/** Replicas before and after; of what has none, whether it comes or goes. */
function numbersText({ before, after, there }: ClusterChange): string {
  if (there === "goes") return before === undefined ? "gone" : `${before} → gone`;
  if (there === "came" || before === undefined) return after === undefined ? "new here" : `new here, ${after}`;
  return before === after ? String(after) : `${before} → ${after ?? "gone"}`;
}

/** Clusters that change alike, for the same reason. Reasons that differ only keep clusters apart while there is room. */
function groupsOf(clusters: readonly ClusterChange[], folded: boolean): ClusterChange[][] {
  const groups = new Map<string, ClusterChange[]>();
  for (const change of clusters) {
    const key = JSON.stringify([change.before, change.after, change.there, folded ? "" : change.reason]);
    const group = groups.get(key);
    const entry = folded && clusters.length > MOST_GROUPS ? withoutReason(change) : change;
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups.values()];
}

function withoutReason({ reason: _, ...rest }: ClusterChange): ClusterChange {
  return rest;
}
