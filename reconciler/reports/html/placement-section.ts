// Where objects are before and after, and why.
import type { ObjectReport, PlacementChange } from "../../../api/plan-report.ts";
import { objectName } from "../words.ts";
import { names, objectLink, type Page, placeLink, table } from "./elements.ts";
import { code, type Html, html, prose } from "./html.ts";

const SHOWN = 8;
const MOST = 100;
const SHOWN_CLUSTERS = 10;
const BAR_WIDTH = 120;

type ClusterChange = PlacementChange["clusters"][number];

/** A table for each object that is placed differently. */
export function placementSection(objects: readonly ObjectReport[], page: Page): Html | undefined {
  const placed = objects.flatMap(({ object, placement }) => (placement === undefined ? [] : [{ object, placement }]));
  if (placed.length === 0) return undefined;
  const told = placed.slice(0, MOST);
  page.leftOut.add("placements", placed.length - told.length, placed.length);
  return html`${told.map(({ object, placement }, at) => {
    const { policyPlace, summary, refused = [] } = placement;
    const policy = policyText(placement);
    const place = policyPlace === undefined ? undefined : html` (${placeLink(policyPlace, page)})`;
    const about = policy === undefined ? undefined : html`<p>${policy}${place}</p>\n`;
    const why = summary === undefined ? undefined : html`<p>${prose(summary)}</p>\n`;
    const not = refused.map(({ clusters, reason }) => html`<p>Not in ${names(clusters, 3)}: ${prose(reason)}</p>\n`);
    const body = html`${about}${why}${clusterTable(placement.clusters, page)}${not}`;
    const title = objectLink(object, page);
    if (at < SHOWN) return html`<h3>${title}</h3>\n${body}`;
    return html`<details><summary>${code(objectName(object))}</summary>\n<div class="body">${body}</div></details>\n`;
  })}`;
}

function policyText({ policyBefore: before, policyAfter: after }: PlacementChange): Html | undefined {
  if (before === after) return after === undefined ? undefined : html`Policy ${code(after)}`;
  if (before === undefined) return html`By policy ${code(after ?? "")}`;
  if (after === undefined) return html`No policy any more, before ${code(before)}`;
  return html`Policy ${code(before)} → ${code(after)}`;
}

/** Clusters that change alike, for the same reason, share a row. */
function clusterTable(clusters: readonly ClusterChange[], page: Page): Html {
  const rows = [
    ...Map.groupBy(clusters, ({ before, after, there, reason }) =>
      JSON.stringify([before, after, there, reason]),
    ).values(),
  ].flatMap((group) => (group[0] === undefined ? [] : [{ ...group[0], group }]));
  const most = Math.max(1, ...clusters.map(({ before = 0, after = 0 }) => Math.max(before, after)));
  const hasReplicas = clusters.some(({ before, after }) => before !== undefined || after !== undefined);
  const hasReasons = clusters.some(({ reason }) => reason !== undefined);
  return table(rows, page, {
    caption: "Replicas in each cluster, before and after",
    what: "clusters of placements",
    shown: SHOWN_CLUSTERS,
    columns: [
      {
        title: "cluster",
        write: ({ group }) =>
          names(
            group.map(({ cluster }) => cluster),
            3,
          ),
      },
      { title: "before", align: "right", write: beforeText },
      { title: "after", align: "right", write: afterText },
      ...(hasReplicas ? [{ title: "", write: (row: ClusterChange) => bars(row, most) }] : []),
      ...(hasReasons
        ? [
            {
              title: "why",
              write: ({ reason }: ClusterChange) => (reason === undefined ? undefined : prose(reason)),
            },
          ]
        : []),
    ],
  });
}

function beforeText({ before, there }: ClusterChange): string {
  return there === "came" ? "not here" : before === undefined ? "here" : String(before);
}

function afterText({ after, there }: ClusterChange): string {
  if (there === "goes") return "gone";
  return after !== undefined ? String(after) : there === "came" ? "new here" : "here";
}

/** Replicas before above those after, drawn; the numbers beside it say the same. */
function bars({ before = 0, after = 0 }: ClusterChange, most: number): Html {
  const width = (replicas: number) => Math.round((BAR_WIDTH * replicas) / most);
  const bar = (name: string, replicas: number, y: number) =>
    html`<rect class="${name}" y="${y}" width="${width(replicas)}" height="6"/>`;
  return html`<svg class="bars" width="${BAR_WIDTH}" height="14" viewBox="0 0 ${BAR_WIDTH} 14" aria-hidden="true">${bar("was", before, 0)}${bar("is", after, 8)}</svg>`;
}
