// A report on its way from one process to another, in parts: whoever takes it is a control plane with other things to do, and
// looks at a part at a time.
import { type PlanReport, planReportSchema } from "../../../api/plan-report.ts";
import { isObject } from "../../../kube/object.ts";

/** Lists of a report that grow with the change. */
const LISTS = ["objects", "findings", "problems", "unknown", "drift", "whatIf", "clusters", "tests"] as const;
type List = (typeof LISTS)[number];

const PART_BYTES = 128 * 1024;

export interface ReportPart {
  readonly list: List;
  /** JSON of some of its items. */
  readonly text: string;
}

/** The lists of a report in parts, in order; `restOf` has what is left. */
export function* partsOf(report: PlanReport): Generator<ReportPart> {
  for (const list of LISTS) {
    let texts: string[] = [];
    let size = 0;
    for (const item of report[list] ?? []) {
      const text = JSON.stringify(item);
      texts.push(text);
      size += text.length;
      if (size < PART_BYTES) continue;
      yield { list, text: `[${texts.join()}]` };
      texts = [];
      size = 0;
    }
    if (texts.length > 0) yield { list, text: `[${texts.join()}]` };
  }
}

/** The report with its lists empty. */
export function restOf(report: PlanReport): PlanReport {
  const empty = LISTS.filter((list) => report[list] !== undefined).map((list) => [list, []]);
  return { ...report, ...Object.fromEntries(empty) };
}

/** Puts a report together. Throws for whatever is none. */
export class ReportParts {
  readonly #items = new Map<List, unknown[]>();

  add(list: unknown, text: string): void {
    const known = LISTS.find((one) => one === list);
    if (known === undefined) throw new Error("a part of no list");
    const items: readonly unknown[] = planReportSchema.shape[known].parse(JSON.parse(text)) ?? [];
    const before = this.#items.get(known);
    if (before === undefined) this.#items.set(known, [...items]);
    else for (const item of items) before.push(item);
  }

  join(rest: unknown): PlanReport {
    const report = planReportSchema.parse(rest);
    // Of the lists that it has; each item was looked at when it came.
    const lists = [...this.#items].filter(([list]) => isObject(rest) && Array.isArray(rest[list]));
    return { ...report, ...(Object.fromEntries(lists) as Partial<PlanReport>) };
  }
}
