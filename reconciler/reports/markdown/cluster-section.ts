// The table by cluster.
import type { ClusterRow } from "../../../api/plan-report.ts";
import { count } from "../words.ts";
import { type Column, codeNames, tableBlock } from "./blocks.ts";
import type { Style } from "./style.ts";

/** With more rows, clusters in which the same happens share one. */
const MOST_SINGLE_ROWS = 12;
/** Clusters where nothing changes have a row each when they are no more. */
const MOST_QUIET_ROWS = 8;

/** The table; nothing when no cluster is touched. */
export function clusterSection(clusters: readonly ClusterRow[], style: Style): string[] {
  const { detail, leftOut } = style;
  const touched = clusters.filter(isTouched);
  const quiet = clusters.filter((row) => !isTouched(row));
  if (touched.length === 0) return [];
  const showsQuiet = detail.untouched && quiet.length <= MOST_QUIET_ROWS;
  const rows = [...touched, ...(showsQuiet ? quiet : [])];
  const groups = detail.folded || rows.length > MOST_SINGLE_ROWS ? groupsOf(rows) : rows.map((row) => [row]);
  const shown = groups.slice(0, detail.most);
  const columns = COLUMNS.filter(({ always, of }) => always === true || rows.some((row) => of(row) !== 0));
  const missing = groups.slice(detail.most).flat().length;
  leftOut.add("rows of clusters", missing, rows.length);
  const below = [
    ...(missing === 0 ? [] : [`And ${count(missing, "more cluster")} where something changes.`]),
    ...(showsQuiet || quiet.length === 0 ? [] : [`Nothing changes in ${count(quiet.length, "cluster")}.`]),
  ];
  return [
    tableBlock(
      [{ title: "cluster" }, ...columns.map(({ title }): Column => ({ title, align: "right" }))],
      shown.map((group) => [
        codeNames(
          style.text,
          group.map(({ cluster }) => cluster),
          "cell",
          2,
        ),
        ...columns.map(({ cell, of }) => (group[0] === undefined ? "" : (cell?.(group[0]) ?? String(of(group[0]))))),
      ]),
    ),
    ...(below.length === 0 ? [] : [below.join(" ")]),
  ];
}

export function isTouched({ created, changed, deleted, held = 0, drift }: ClusterRow): boolean {
  return created + changed + deleted + held + drift > 0;
}

interface NumberColumn {
  readonly title: string;
  /** Shown although it is 0 in every row. */
  readonly always?: true;
  readonly of: (row: ClusterRow) => number;
  readonly cell?: (row: ClusterRow) => string;
}

const COLUMNS: readonly NumberColumn[] = [
  { title: "created", of: ({ created }) => created },
  { title: "changed", of: ({ changed }) => changed },
  { title: "deleted", of: ({ deleted }) => deleted },
  { title: "held", of: ({ held = 0 }) => held },
  { title: "replicas", always: true, of: ({ replicasAfter }) => replicasAfter, cell: replicasCell },
  { title: "drift now", of: ({ drift }) => drift },
];

/** `2 → 4 (+2)`, `6`, `6 (2 move)`. */
export function replicasCell({ replicasBefore, replicasAfter, moved = 0 }: ClusterRow): string {
  const difference = replicasAfter - replicasBefore;
  if (difference === 0) return moved === 0 ? String(replicasAfter) : `${replicasAfter} (${moved} move)`;
  return `${replicasBefore} → ${replicasAfter} (${difference > 0 ? "+" : "−"}${Math.abs(difference)})`;
}

/** Rows that say the same together, in the order of their first. */
function groupsOf(rows: readonly ClusterRow[]): ClusterRow[][] {
  const groups = new Map<string, ClusterRow[]>();
  for (const row of rows) {
    const key = COLUMNS.map(({ of, cell }) => cell?.(row) ?? of(row)).join("|");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
