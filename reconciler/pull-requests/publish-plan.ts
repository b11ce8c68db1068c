// Says a plan in the pull request that it is about: one comment, and a check of the head.
import type { PlanReport } from "../../api/plan-report.ts";
import type { Call, Check, Forge, ForgeKind, ForgeLimits, PublishedCheck, PullRequest } from "../forges/forge.ts";
import { commentRoom, isSameBody, withMarker } from "../forges/marker.ts";
import { ownComments, publishStickyComment, type StickyComment } from "../forges/sticky-comment.ts";
import { planAnnotations } from "../reports/annotations.ts";
import { planMarkdown } from "../reports/markdown/plan-markdown.ts";
import { planRemarks } from "../reports/remarks.ts";
import { repositoryLinks } from "./repository-links.ts";

/** What tells reports apart that stand in one pull request. */
export interface PlanMarker {
  /** Of the installation, where several report in one pull request. */
  readonly name: string;
  /** `owner/name`. */
  readonly repository: string;
  /** The folder that is planned; empty for the root. */
  readonly path: string;
  /** The only Sync that is planned; absent: all that apply what is in the folder. */
  readonly sync?: string | undefined;
}

/** Which comment it is. It says nothing of the change, so that the next push of a pull request finds it again. */
export function planMarker({ name, repository, path, sync }: PlanMarker): string {
  return ["plan", name, repository, path === "" ? "." : path, ...(sync === undefined ? [] : [sync])].join(" ");
}

export interface PlanComment {
  readonly kind: ForgeKind;
  /** Of the repository, for a browser. */
  readonly url: string;
  /** What the provider takes; what is known of its kind when absent. */
  readonly limits?: ForgeLimits | undefined;
  readonly marker: string;
  /** Commit of the head. */
  readonly head: string;
  /** Where it was made: the run of a pipeline. */
  readonly runUrl?: string | undefined;
  /** What a person writes to approve it, where somebody listens. */
  readonly approve?: string | undefined;
  /** Where all of it is when this is cut, in words. */
  readonly whole?: string | undefined;
}

/** Where a pipeline prints what it plans. */
export const RUN_LOG = "the log of this run";

/** The comment's body without its marker; equal for equal plans, whenever they are made. */
export function planComment(report: PlanReport, { kind, limits, marker, ...rest }: PlanComment): string {
  const { approve, head, runUrl, url, whole } = rest;
  return planMarkdown(report, {
    dialect: kind,
    ...(limits === undefined ? {} : { limit: commentRoom(limits, marker), unit: limits.comment.unit }),
    links: { ...repositoryLinks(kind, url, head), report: runUrl },
    ...(whole === undefined ? {} : { whole }),
    undated: true,
    ...(approve === undefined ? {} : { approve }),
  });
}

export interface PlanCheck {
  /** Which check of the commit it is. */
  readonly name: string;
  readonly limits?: ForgeLimits["check"] | undefined;
  readonly runUrl?: string | undefined;
}

/** `flaghoist`, or `flaghoist: NAME` and more where a pull request has several reports. */
export function planCheckName({ name, path, sync }: PlanMarker): string {
  const parts = [
    ...(name === DEFAULT_NAME ? [] : [name]),
    ...(path === "" ? [] : [path]),
    ...(sync === undefined ? [] : [sync]),
  ];
  return parts.length === 0 ? "flaghoist" : `flaghoist: ${parts.join(" ")}`;
}

/** The name of an installation that has been given none. */
export const DEFAULT_NAME = "flaghoist";

/** The check: it fails for what would be refused, would fail or lose something; what waits for a person is neutral. */
export function planCheck(report: PlanReport, comment: PlanComment, { name, limits, runUrl }: PlanCheck): Check {
  return {
    name,
    conclusion: conclusionOf(report),
    title: report.verdict,
    summary:
      limits?.markdown === true && limits.summary > 0
        ? planMarkdown(report, {
            dialect: comment.kind,
            limit: limits.summary,
            unit: "characters",
            links: repositoryLinks(comment.kind, comment.url, comment.head),
            undated: true,
          })
        : report.verdict,
    annotations: planAnnotations(report, limits === undefined ? {} : { most: limits.annotations }),
    url: runUrl,
  };
}

function conclusionOf(report: PlanReport): Check["conclusion"] {
  const isBad =
    !report.valid ||
    report.state === "refused" ||
    planRemarks(report).some(({ severity }) => severity === "error") ||
    (report.tests ?? []).some(({ outcome }) => outcome === "failed");
  if (isBad) return "failure";
  return report.state === "held" ? "neutral" : "success";
}

export interface PublishOptions {
  readonly pullRequest: number;
  readonly marker: PlanMarker;
  /** The commit that was planned. */
  readonly head: string;
  readonly runUrl?: string | undefined;
  readonly approve?: string | undefined;
  /** Without a check: for credentials that may only comment. */
  readonly commentOnly?: boolean | undefined;
  /** Another check stands at the head, which this one's is to take the place of whatever the comment says already. */
  readonly isAnnounced?: boolean | undefined;
}

/**
 * moved: the head is another one by now, of which another run will tell. closed: nobody waits for it any more.
 * Otherwise what became of the comment; there is no check where it was unchanged.
 */
export type PublishedPlan =
  | { readonly outcome: "moved"; readonly head: string }
  | { readonly outcome: "closed"; readonly state: PullRequest["state"] }
  | {
      readonly outcome: StickyComment["outcome"];
      readonly url: string | undefined;
      readonly check: PublishedCheck | undefined;
    };

/** What is said of a plan: the body of the comment without its marker, and the check where one is wanted. */
export interface PlanWords {
  readonly body: string;
  readonly check: Check | undefined;
}

export function planWords(report: PlanReport, comment: PlanComment, check: PlanCheck | undefined): PlanWords {
  return {
    body: planComment(report, comment),
    check: check === undefined ? undefined : planCheck(report, comment, check),
  };
}

/** Publishes the plan of a head, as `publishWords` does. */
export function publishPlan(
  forge: Forge,
  report: PlanReport,
  options: PublishOptions,
  call: Call,
): Promise<PublishedPlan> {
  const { approve, commentOnly, runUrl } = options;
  const { kind, limits, url } = forge;
  const say = (head: string): PlanWords => {
    const comment: PlanComment = {
      kind,
      url,
      limits,
      marker: planMarker(options.marker),
      head,
      runUrl,
      approve,
      whole: RUN_LOG,
    };
    const check = { name: planCheckName(options.marker), limits: limits.check, runUrl };
    return planWords(report, comment, commentOnly === true ? undefined : check);
  };
  return publishWords(forge, say, options, call);
}

export type PublishWordsOptions = Pick<PublishOptions, "pullRequest" | "marker" | "head" | "isAnnounced">;

/**
 * Publishes what is to be said of a head, which `say` is given whole. The check comes before the comment, so that a comment
 * which says the same already means that all of it was said, and nothing is sent. Throws what the forge throws; nothing is
 * said then, or the check alone.
 */
export async function publishWords(
  forge: Forge,
  say: (head: string) => PlanWords,
  { head, isAnnounced, marker, pullRequest }: PublishWordsOptions,
  call: Call,
): Promise<PublishedPlan> {
  const pull = await forge.pullRequest(pullRequest, call);
  if (!isSameCommit(pull.head.sha, head)) return { outcome: "moved", head: pull.head.sha };
  if (pull.state !== "open") return { outcome: "closed", state: pull.state };
  const id = planMarker(marker);
  const { body, check: said } = say(pull.head.sha);
  const [own, ...doubles] = await ownComments(forge, pull.number, id, call);
  const whole = withMarker(forge.limits.markdown.hidden, id, body);
  if (own !== undefined && doubles.length === 0 && isSameBody(own.body, whole) && isAnnounced !== true)
    return { outcome: "unchanged", url: own.url, check: undefined };
  const check = said && (await forge.publishCheck(pull.head.sha, { ...said, pullRequest: pull }, call));
  const posted = await publishStickyComment(forge, pull.number, id, body, call);
  return { outcome: posted.outcome, url: posted.comment.url, check };
}

/** Providers and pipelines may shorten. */
export function isSameCommit(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length);
  return shorter >= 7 && a.slice(0, shorter) === b.slice(0, shorter);
}
