// What a reviewer should know: findings, what a loss would do, fleet tests, drift.
import type { PlanReport, ReportedDrift, ReportedLoss, TestResult } from "../../../api/plan-report.ts";
import { DRIFT_OUTCOMES } from "../markdown/drift-section.ts";
import { isWorthTelling, type LostObject, rankOf } from "../markdown/loss-section.ts";
import { survivalBefore } from "../plan-words.ts";
import { planRemarks, type Remark } from "../remarks.ts";
import { ageOf, count, objectName, value } from "../words.ts";
import { type Column, folded, list, names, objectLink, type Page, placeLink, table } from "./elements.ts";
import { type Content, code, type Html, html, join, prose } from "./html.ts";

const SHOWN_REMARKS = 12;
const SHOWN_LOSSES = 10;
const SHOWN_TESTS = 10;
const SHOWN_DRIFT = 10;
const MOST_DETAILS = 20;

/** Problems and findings, the severest first. */
export function findingSection(report: PlanReport, page: Page): Html | undefined {
  const remarks = planRemarks(report);
  if (remarks.length === 0) return undefined;
  return list(remarks, page, { what: "findings", shown: SHOWN_REMARKS, write: (remark) => remarkText(remark, page) });
}

const SEVERITY_SIGNS = { error: "✗", warning: "!", notice: "i" } as const;

function remarkText(
  { severity, message, reasons = [], advice, rule, object, field, clusters = [], place }: Remark,
  page: Page,
): Html {
  const about = [
    // Many messages name the object themselves.
    ...(object === undefined || message.includes(objectName(object)) ? [] : [objectLink(object, page)]),
    ...(field === undefined ? [] : [code(field)]),
    ...(clusters.length === 0 ? [] : [html`in ${names(clusters)}`]),
  ];
  const where = [
    ...(place === undefined ? [] : [placeLink(place, page)]),
    ...(rule === "problem" ? [] : [html`rule ${code(rule)}`]),
  ];
  const stop = /[.!?…]\s*$/.test(message) ? "" : ".";
  return html`<span class="badge ${severity}"><span aria-hidden="true">${SEVERITY_SIGNS[severity]}</span> ${severity}</span> ${about.length === 0 ? undefined : html`${join(about, " ")}: `}${prose(message)}${stop}${advice === undefined ? undefined : html` <span class="advice">→ ${prose(advice)}</span>`}${where.length === 0 ? undefined : html` <small>(${join(where, ", ")})</small>`}${reasons.length === 0 ? undefined : html`<ul>${reasons.map((reason) => html`<li>${prose(reason)}</li>`)}</ul>`}`;
}

interface LossCase {
  readonly loss: ReportedLoss["loss"];
  readonly object: LostObject;
}

/** Losses and workloads: the worst first; what stays as it was is folded away. */
export function lossSection(losses: readonly ReportedLoss[], page: Page): Html | undefined {
  const cases = losses.flatMap(({ loss, objects }) => objects.map((object): LossCase => ({ loss, object })));
  if (cases.length === 0) return undefined;
  const told = cases
    .filter(({ object }) => isWorthTelling(object))
    .toSorted((a, b) => rankOf(a.object) - rankOf(b.object));
  const quiet = cases.filter(({ object }) => !isWorthTelling(object));
  const shown = told.length === 0 ? undefined : lossTable(told, page);
  const other = told.length === 0 ? "" : "other ";
  const rest =
    quiet.length === 0
      ? undefined
      : folded(`In ${count(quiet.length, `${other}case`)} it is as before.`, lossTable(quiet, page));
  return html`${shown}${rest}`;
}

function lossTable(cases: readonly LossCase[], page: Page): Html {
  const columns: Column<LossCase>[] = [
    { title: "if this fails", write: ({ loss }) => lossName(loss) },
    { title: "workload", write: ({ object }) => objectLink(object.object, page) },
    { title: "before", write: ({ object }) => survival(object.before) },
    {
      title: "after",
      write: ({ object }) =>
        isLost(object) ? html`<strong>${survival(object.after)}</strong>` : survival(object.after),
    },
    { title: "needs", write: ({ object }) => needs(object) },
    { title: "compared", write: ({ object }) => COMPARISONS[object.comparison] },
  ];
  return table(cases, page, {
    caption: "Replicas that go on at once, and once failover is through",
    what: "losses",
    shown: SHOWN_LOSSES,
    columns,
    mark: ({ object }) => (isLost(object) || object.comparison === "worse" ? "worse" : undefined),
  });
}

/** `region eu-west`, and below it `also provider aws` where that is the same clusters. */
function lossName({ what, name, also = [] }: ReportedLoss["loss"]): Html {
  const others = also.map((other) => html` <small>also ${other.what} ${code(other.name)}</small>`);
  return html`${what} ${code(name)}${others}`;
}

const COMPARISONS: Readonly<Record<LostObject["comparison"], Html>> = {
  worse: html`<span class="badge error"><span aria-hidden="true">▼</span> worse</span>`,
  same: html`as before`,
  better: html`<span class="badge good"><span aria-hidden="true">▲</span> better</span>`,
};

function isLost({ outcome }: LostObject): boolean {
  return outcome === "down" || outcome === "below-minimum";
}

function survival(given: LostObject["after"]): string {
  if (given === undefined) return "not touched";
  return given.kept === 0 && given.recovered === 0 ? "down" : survivalBefore(given);
}

function needs({ minimum, minimumFrom }: LostObject): Content {
  return minimumFrom === undefined ? minimum : html`${minimum} <small>${prose(minimumFrom)}</small>`;
}

/** The failed and the skipped; what passed is folded away. */
export function testSection(tests: readonly TestResult[], page: Page): Html {
  const told = (["failed", "skipped"] as const).flatMap((outcome) => tests.filter((test) => test.outcome === outcome));
  const passed = tests.filter(({ outcome }) => outcome === "passed");
  const write = (test: TestResult) => testText(test, page);
  return html`${told.length === 0 ? undefined : list(told, page, { what: "fleet tests", shown: SHOWN_TESTS, write })}${
    passed.length === 0
      ? undefined
      : folded(`${passed.length} passed`, list(passed, page, { what: "fleet tests", shown: MOST_DETAILS, write }))
  }`;
}

const TEST_BADGES: Readonly<Record<TestResult["outcome"], Html>> = {
  failed: html`<span class="badge error"><span aria-hidden="true">✗</span> failed</span>`,
  passed: html`<span class="badge good"><span aria-hidden="true">✓</span> passed</span>`,
  skipped: html`<span class="badge notice"><span aria-hidden="true">–</span> skipped</span>`,
};

function testText({ name, place, outcome, message, details = [], base }: TestResult, page: Page): Html {
  const earlier =
    outcome !== "failed" || base === undefined || base === "skipped"
      ? ""
      : base === "passed"
        ? ", passed before this change:"
        : ", as before this change:";
  const lines = details.slice(0, MOST_DETAILS).map((line) => html`<li>${prose(line)}</li>`);
  const more = details.length - lines.length;
  const below =
    lines.length === 0
      ? undefined
      : html`<ul>${lines}${more === 0 ? undefined : html`<li>and ${more} more lines</li>`}</ul>`;
  return html`${TEST_BADGES[outcome]}${earlier} ${prose(name)}${message === undefined ? undefined : html` — ${prose(message)}`}${place === undefined ? undefined : html` <small>(${placeLink(place, page)})</small>`}${below}`;
}

/** What is not as Git has it: what the base wants, what the head wants, what is live, and what becomes of it. */
export function driftSection({ drift, driftUnknown = [], made }: PlanReport, page: Page): Html | undefined {
  if (drift.length + driftUnknown.length === 0) return undefined;
  const nowMs = Date.parse(made.at);
  const rows =
    drift.length === 0
      ? undefined
      : table(drift, page, {
          caption: "Fields and objects that differ from Git in the clusters",
          what: "drifted fields",
          shown: SHOWN_DRIFT,
          columns: driftColumns(nowMs, page),
        });
  const unknown =
    driftUnknown.length === 0
      ? undefined
      : list(driftUnknown, page, {
          what: "clusters that could not be asked",
          shown: SHOWN_DRIFT,
          write: ({ cluster, reason }) => html`It is not known of ${code(cluster)}: ${prose(reason)}`,
        });
  return html`${rows}${unknown}`;
}

function driftColumns(nowMs: number, page: Page): Column<ReportedDrift>[] {
  const cell = (given: unknown) => code(value(given));
  const isMissing = ({ path }: ReportedDrift) => path === "";
  return [
    {
      title: "object",
      write: (one) =>
        html`${objectLink(one.object, page)}${isMissing(one) ? undefined : html` <span class="path">${code(one.path)}</span>`} <div class="small">in ${names(one.clusters)}</div>`,
    },
    { title: "wanted before", write: (one) => (isMissing(one) ? "there" : cell(one.base)) },
    { title: "wanted after", write: (one) => (isMissing(one) ? "there" : cell(one.head)) },
    { title: "found", write: (one) => (isMissing(one) ? "missing" : cell(one.live)) },
    {
      title: "by",
      write: ({ manager, since }) => {
        const age = ageOf(since, nowMs);
        return html`${manager === undefined ? undefined : code(manager)} ${age === undefined ? undefined : `${age} ago`}`;
      },
      isIdle: ({ manager, since }) => manager === undefined && since === undefined,
    },
    {
      title: "what becomes of it",
      write: (one) => (isMissing(one) && one.outcome !== "kept" ? "it is made anew" : DRIFT_OUTCOMES[one.outcome]),
    },
  ];
}
