// The table by cluster.
import type { ClusterRow } from "../../../api/plan-report.ts";
import { isTouched, replicasCell } from "../markdown/cluster-section.ts";
import { count } from "../words.ts";
import { type Column, folded, names, type Page, table } from "./elements.ts";
import { type Html, html } from "./html.ts";

/** With more rows, clusters in which the same happens share one. */
const MOST_SINGLE_ROWS = 12;
/** Clusters where nothing changes stand with the others when they are no more. */
const MOST_QUIET_ROWS = 8;
const SHOWN = 20;

/** The clusters where something changes; the others below, folded when they are many. */
export function clusterSection(clusters: readonly ClusterRow[], page: Page): Html | undefined {
  const touched = clusters.filter(isTouched);
  const quiet = clusters.filter((row) => !isTouched(row));
  if (touched.length === 0) return undefined;
  const isSmall = quiet.length <= MOST_QUIET_ROWS;
  const rows = isSmall ? [...touched, ...quiet] : touched;
  const rest = isSmall
    ? undefined
    : folded(
        `Nothing changes in ${count(quiet.length, "cluster")}.`,
        groupTable(groupsOf(quiet), "Clusters where nothing changes", page),
      );
  const groups = rows.length > MOST_SINGLE_ROWS ? groupsOf(rows) : rows.map((row) => [row]);
  return html`${groupTable(groups, "What changes in each cluster", page)}${rest}`;
}

type Group = readonly ClusterRow[];

function groupTable(groups: readonly Group[], caption: string, page: Page): Html {
  const columns = NUMBERS.filter(({ always, of }) => always === true || groups.flat().some((row) => of(row) !== 0));
  return table(groups, page, {
    caption,
    what: "rows of clusters",
    shown: SHOWN,
    columns: [
      { title: "cluster", write: clusterCell },
      ...columns.map(
        ({ title, of, text }): Column<Group> => ({
          title,
          align: "right",
          write: ([first]) => (first === undefined ? "" : (text?.(first) ?? of(first))),
          isIdle: ([first]) => first === undefined || of(first) === 0,
        }),
      ),
    ],
  });
}

/** The name, and below it where the cluster is. */
function clusterCell(group: Group): Html {
  const where = [...new Set(group.map(placeOf))];
  const text = where.length > 2 ? `${where.length} places` : where.join(" and ");
  return html`${names(
    group.map(({ cluster }) => cluster),
    2,
  )}${text === "" ? undefined : html` <small>${text}</small>`}`;
}

/** `eu-west-3a · eu-west · aws` */
function placeOf({ provider, region, zone }: ClusterRow): string {
  return [zone, region, provider].filter((part) => part !== undefined && part !== "").join(" · ");
}

interface NumberColumn {
  readonly title: string;
  /** Shown although it is 0 in every row. */
  readonly always?: true;
  readonly of: (row: ClusterRow) => number;
  readonly text?: (row: ClusterRow) => string;
}

const NUMBERS: readonly NumberColumn[] = [
  { title: "created", of: ({ created }) => created },
  { title: "changed", of: ({ changed }) => changed },
  { title: "deleted", of: ({ deleted }) => deleted },
  { title: "held", of: ({ held = 0 }) => held },
  {
    title: "replicas",
    always: true,
    of: ({ replicasBefore, replicasAfter }) => replicasBefore + replicasAfter,
    text: replicasCell,
  },
  { title: "drift now", of: ({ drift }) => drift },
];

/** Rows that say the same together, in the order of their first. */
function groupsOf(rows: readonly ClusterRow[]): Group[] {
  return [...Map.groupBy(rows, (row) => NUMBERS.map(({ of, text }) => text?.(row) ?? of(row)).join("|")).values()];
}
