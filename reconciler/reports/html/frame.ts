// What stands around the sections of a page: the verdict and its figures above, where it comes from below.
import type { PlanReport } from "../../../api/plan-report.ts";
import { isTouched } from "../markdown/cluster-section.ts";
import { withoutHeld } from "../markdown/frame.ts";
import { count, shortCommit } from "../words.ts";
import { classOf, link, names, type Page } from "./elements.ts";
import { code, type Html, html, join, prose } from "./html.ts";

/** The verdict, what is compared, what a person has to do before anything happens, and figures. */
export function headBlock(report: PlanReport, page: Page): Html {
  const { held, state, verdict } = report;
  return html`<p class="kind">Flaghoist plan</p>
<h1>${prose(verdict)}</h1>
<div class="subject">${subjectLine(report, page)}</div>
${held === undefined ? undefined : html`<div class="alert warning" role="note"><p><strong>Held for a person:</strong> ${prose(withoutHeld(held))}</p></div>\n`}${
  state === "refused"
    ? html`<div class="alert error" role="note"><p><strong>Refused:</strong> nothing of this can be applied; what runs stays as it is.</p></div>\n`
    : undefined
}${figures(report)}`;
}

/** `Sync shop/apps: main 81d0e44 → two-regions 3f9c2ab, compared with 3 live clusters.` */
function subjectLine({ subject }: PlanReport, page: Page): Html {
  const { base, fleet, head, path, repository, syncs = [] } = subject;
  const side = ({ name, commit }: { readonly name: string; readonly commit?: string | undefined }) =>
    commit === undefined || commit === name ? code(name) : html`${code(name)} ${commitCode(commit, page)}`;
  const what =
    syncs.length === 0 ? html`Folder ${code(path)}` : html`${syncs.length === 1 ? "Sync" : "Syncs"} ${names(syncs)}`;
  const where = repository === undefined ? undefined : html` of ${code(repository)}`;
  const from = base === undefined ? html`what the control plane has` : side(base);
  const clusters = count(fleet.clusters, `${fleet.from === "live" ? "live " : ""}cluster`);
  const taken = fleet.takenAt === undefined ? undefined : html` of ${timeText(fleet.takenAt)}`;
  const against = fleet.from === "live" ? html`${clusters}` : html`a snapshot${taken} with ${clusters}`;
  const compared = fleet.clusters === 0 ? undefined : html`, compared with ${against}`;
  return html`${what}${where}: ${from} → ${side(head)}${compared}.`;
}

/** What is not zero, in numbers. */
function figures(report: PlanReport): Html | undefined {
  const { clusters, findings, movedReplicas, objects, problems, state, tests = [], unknown, whatIf } = report;
  if (state === "unchanged" || state === "refused") return undefined;
  const severities = [...problems, ...findings].map(({ severity }) => severity);
  const severe = (severity: string) => severities.filter((one) => one === severity).length;
  const of = (change: string) => objects.filter((object) => object.change === change).length;
  const worse = whatIf.flatMap((loss) => loss.objects).filter(({ comparison }) => comparison === "worse").length;
  const failed = tests.filter(({ outcome }) => outcome === "failed").length;
  const rows: readonly (readonly [number: number, what: string, mark?: string])[] = [
    [of("created"), "created"],
    [of("changed"), "changed"],
    [of("deleted"), "deleted"],
    [unknown.length, "not known"],
    [clusters.filter(isTouched).length, `of ${count(clusters.length, "cluster")} touched`],
    [movedReplicas, movedReplicas === 1 ? "replica moves" : "replicas move"],
    [severe("error"), severe("error") === 1 ? "error" : "errors", "error"],
    [severe("warning"), severe("warning") === 1 ? "warning" : "warnings", "warning"],
    [worse, worse === 1 ? "loss does more harm" : "losses do more harm", "warning"],
    [failed, failed === 1 ? "fleet test failed" : "fleet tests failed", "error"],
  ];
  const shown = rows.filter(([number]) => number !== 0);
  if (shown.length === 0) return undefined;
  return html`<ul class="figures" aria-label="In numbers">${shown.map(([number, what, mark]) => html`<li${classOf(mark)}><b>${number}</b> ${what}</li>`)}</ul>\n`;
}

function commitCode(commit: string, { links }: Page): Html {
  return link(code(shortCommit(commit)), links.commit?.(commit));
}

/** `2026-11-29 09:30 UTC`; what is no time as it is. */
function timeText(time: string): Html {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return code(time);
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")} UTC</time>`;
}

/** Commit, render hash, version, time, and what was left out for length, by this page or by who made the report. */
export function footBlock({ cut = [], made, renderHash, subject }: PlanReport, page: Page): Html {
  const { commit } = subject.head;
  const parts = [
    ...(commit === undefined ? [] : [html`commit ${commitCode(commit, page)}`]),
    ...(renderHash === undefined ? [] : [html`render hash ${code(renderHash)}`]),
    html`Flaghoist ${prose(made.version)}`,
    timeText(made.at),
    html`${(made.tookMs / 1000).toFixed(1)} s`,
  ];
  const left = [
    ...page.leftOut.parts().map((part) => html`${part}`),
    ...cut.map(({ what, left, of }) => html`${left} of ${of} ${prose(what, 60)}`),
  ];
  const leftOut =
    left.length === 0
      ? undefined
      : html`<p>Left out for length: ${join(left.slice(0, 12), ", ")}. All of it: <code>flaghoist plan -o json</code>.</p>\n`;
  return html`<footer>
${leftOut}<p>${join(parts, " · ")}</p>
</footer>`;
}
