// Says at a repository's host what has drifted: in one issue that is closed when nothing has, or in one comment.
import { refKey } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Call, Forge } from "../forges/forge.ts";
import { commentRoom } from "../forges/marker.ts";
import { ownComments, publishStickyComment } from "../forges/sticky-comment.ts";
import { publishStickyIssue, type StickyIssue } from "../forges/sticky-issue.ts";
import { groupDrift } from "../plan/live-drift.ts";
import { type DriftReport, driftVerdict } from "../reports/drift-text.ts";
import { driftMarkdown } from "../reports/markdown/drift-markdown.ts";

/** What is known of the objects of a repository. */
export interface KnownDrift {
  readonly report: DriftReport;
  /** Fields that were seen first too lately to be told of. */
  readonly young: number;
}

/**
 * drifted: something is to be told of. settling: there is drift, but none that is old enough. unknown: none is known, and
 * of something it is not known. clean: everything is as wanted.
 */
export type DriftState = "drifted" | "settling" | "unknown" | "clean";

export function driftState({ report, young }: KnownDrift): DriftState {
  const groups = groupDrift(report.copies);
  if (groups.length > 0) return "drifted";
  if (young > 0) return "settling";
  return driftVerdict(report, groups).good ? "clean" : "unknown";
}

/** How many fields and objects a report tells of. */
export function countDrift({ report }: KnownDrift): { readonly fields: number; readonly objects: number } {
  const groups = groupDrift(report.copies);
  return { fields: groups.length, objects: new Set(groups.map(({ object }) => refKey(object))).size };
}

export interface DriftPublication {
  /** `namespace/name` of the Reporter: several may report in one repository. */
  readonly reporter: string;
  /** Where to comment; in an issue when absent. */
  readonly pullRequest: number | undefined;
  /** Whether somebody listens to commands. */
  readonly commands: boolean;
  readonly nowMs: number;
  readonly version: string;
}

export interface PublishedDrift {
  /** left: nothing was said, because nothing had been said that is to be taken back. */
  readonly outcome: StickyIssue["outcome"] | "left";
  readonly number: number | undefined;
  readonly url: string | undefined;
}

/**
 * Publishes what is known. Only drift begins an issue or a comment, and only when all is as wanted is the issue closed;
 * what is not known changes nothing but the text of an open one. Equal drift sends nothing. Throws what the forge throws,
 * and `drift-report-nowhere` for a host without issues.
 */
export async function publishDrift(
  forge: Forge,
  known: KnownDrift,
  publication: DriftPublication,
  call: Call,
): Promise<PublishedDrift> {
  const { pullRequest, reporter } = publication;
  if (pullRequest === undefined && !forge.limits.issues)
    throw new AppError(
      "drift-report-nowhere",
      `${forge.provider} has no issues: name a pull request to comment in, in spec.drift.pullRequest`,
      { recovery: "stall" },
    );
  const state = driftState(known);
  if (state === "settling") return { outcome: "left", number: undefined, url: undefined };
  const marker = `drift ${reporter}`;
  const body = driftMarkdown(known.report, {
    dialect: forge.kind,
    limit: commentRoom(forge.limits, marker),
    unit: forge.limits.comment.unit,
    nowMs: publication.nowMs,
    version: publication.version,
    undated: true,
    ...(publication.commands
      ? {
          commands: ["/flaghoist drift adopt KIND/NAME -n NAMESPACE", "/flaghoist drift ignore KIND/NAME -n NAMESPACE"],
          listensIn: "a comment in a pull request",
        }
      : {}),
  });
  if (pullRequest !== undefined) {
    const [own] = state === "drifted" ? [] : await ownComments(forge, pullRequest, marker, call);
    if (state !== "drifted" && own === undefined) return { outcome: "left", number: pullRequest, url: undefined };
    const { comment, outcome } = await publishStickyComment(forge, pullRequest, marker, body, call);
    return { outcome, number: pullRequest, url: comment.url };
  }
  if (state !== "drifted") {
    const found = await forge.findIssues(marker, call);
    const [issue] = found;
    if (!found.some((one) => one.state === "open")) return { outcome: "left", number: issue?.number, url: issue?.url };
  }
  const title = `Drift from Git: ${reporter}`;
  const { issue, outcome } = await publishStickyIssue(
    forge,
    { marker, title, body, state: state === "clean" ? "closed" : "open" },
    call,
  );
  return { outcome, number: issue?.number, url: issue?.url };
}
