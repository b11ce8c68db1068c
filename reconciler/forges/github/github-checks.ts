// Check runs: https://docs.github.com/rest/checks/runs. Apps may write them, and with them the tokens of workflows.
import { createHash } from "node:crypto";
import { AppError } from "../../../runtime/errors.ts";
import { publishAsStatus } from "../check-as-status.ts";
import { cutText, oneLine } from "../cut-text.ts";
import type { Call, Check, CheckAnnotation, Forge, ForgeLimits, PublishedCheck } from "../forge.ts";
import { createOnce } from "../http/create-once.ts";
import { type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { nextByHeader, readPages } from "../http/pages.ts";

export const GITHUB_LIMITS: ForgeLimits = {
  comment: { size: 65_536, unit: "characters" },
  statusDescription: 140,
  check: {
    as: "check run",
    summary: 65_535,
    text: 65_535,
    markdown: true,
    annotationsPerCall: 50,
    // GitHub names no limit; people look at no more, and each batch is a request.
    annotations: 500,
    annotationMessage: 65_535,
  },
  markdown: {
    html: true,
    collapsible: true,
    tables: true,
    taskLists: true,
    hidden: "html comment",
    quickActions: false,
  },
  issues: true,
  reactions: true,
};

const { check: LIMITS } = GITHUB_LIMITS;
const NEEDS = "an app's installation, or a workflow, with the permission checks: write";

interface CheckPlace {
  readonly http: ForgeHttp;
  /** `/repos/owner/name`. */
  readonly root: string;
  readonly forge: Pick<Forge, "setStatus">;
}

/**
 * Publishes a check run. Annotations are added by fifties, and GitHub keeps those of earlier calls; so a run carries a
 * digest of what it is to say, by which a run that was begun is gone on with, and one that is done is left alone.
 * Credentials that may not write check runs set a status.
 */
export async function publishCheckRun(
  place: CheckPlace,
  sha: string,
  check: Check,
  call: Call,
): Promise<PublishedCheck> {
  try {
    return await publish(place, sha, check, call);
  } catch (error) {
    // "You must authenticate via a GitHub App", or the permission is missing.
    if (!(error instanceof AppError) || error.code !== "forge-forbidden") throw error;
    return publishAsStatus(place.forge, sha, check, call);
  }
}

interface Run {
  readonly id: string;
  readonly digest: string;
  readonly completed: boolean;
  readonly annotations: number;
  readonly url: string | undefined;
}

async function publish(place: CheckPlace, sha: string, check: Check, call: Call): Promise<PublishedCheck> {
  const digest = digestOf(check);
  const annotations = check.annotations.slice(0, LIMITS.annotations);
  const isDone = check.conclusion !== "pending";
  const find = async () => {
    const runs = await listRuns(place, sha, check.name, call);
    // The one that says this, or one that was only announced: it becomes this one.
    return runs.find((run) => run.digest === digest) ?? runs.find((run) => !run.completed && run.annotations === 0);
  };
  const create = async () => {
    const body = {
      name: check.name,
      head_sha: sha,
      external_id: digest,
      status: "in_progress",
      ...detailsOf(check, []),
    };
    const request = {
      method: "POST",
      path: `${place.root}${path("check-runs")}`,
      body,
      what: `create a check run for ${sha.slice(0, 7)}`,
      needs: NEEDS,
    } as const;
    return readRun((await place.http.send(request, call)).json);
  };
  let run = (await find()) ?? (await createOnce(create, find));
  if (run.digest === digest && run.completed === isDone && run.annotations >= annotations.length) {
    return { as: "check run", annotations: annotations.length, url: run.url };
  }
  do {
    const next = annotations.slice(run.annotations, run.annotations + LIMITS.annotationsPerCall);
    const ends = isDone && run.annotations + next.length >= annotations.length;
    const body = {
      external_id: digest,
      ...detailsOf(check, next),
      ...(ends ? { status: "completed", conclusion: check.conclusion } : { status: "in_progress" }),
    };
    run = await patchOnce(place, run, body, next.length, call);
  } while (run.annotations < annotations.length);
  return { as: "check run", annotations: annotations.length, url: run.url };
}

/** A change that adds annotations must not happen twice: after a lost answer the run is looked at. */
async function patchOnce(place: CheckPlace, run: Run, body: object, added: number, call: Call): Promise<Run> {
  const where = `${place.root}${path("check-runs", run.id)}`;
  const what = `change check run ${run.id}`;
  const change = async () =>
    readRun(
      (await place.http.send({ method: "PATCH", path: where, body, what, needs: NEEDS, repeatable: added === 0 }, call))
        .json,
    );
  const look = async () => {
    const now = readRun((await place.http.send({ method: "GET", path: where, what, needs: NEEDS }, call)).json);
    return now.annotations >= run.annotations + added ? now : undefined;
  };
  const changed = await createOnce(change, look);
  // GitHub counts annotations a moment later than it answers.
  return { ...changed, annotations: Math.max(changed.annotations, run.annotations + added) };
}

async function listRuns(place: CheckPlace, sha: string, name: string, call: Call): Promise<readonly Run[]> {
  const request = {
    method: "GET",
    path: `${place.root}${path("commits", sha, "check-runs")}`,
    query: { check_name: name, filter: "latest", per_page: 100 },
    what: `list the check runs of ${sha.slice(0, 7)}`,
    needs: "the permission checks: read",
  } as const;
  const entries = (answer: { readonly json: JsonReader }) => answer.json.at("check_runs").items();
  // Runs of others bear no digest of ours. Of ours only the last one counts: it is the one that is shown.
  const read = (json: JsonReader) => {
    const run = readRun(json);
    return run.digest.startsWith(DIGEST_PREFIX) ? run : undefined;
  };
  return readPages(place.http, request, { next: nextByHeader, entries, read }, call);
}

function readRun(json: JsonReader): Run {
  return {
    id: json.at("id").id(),
    digest: json.at("external_id").textOr(""),
    completed: json.at("status").text() === "completed",
    annotations: json.at("output", "annotations_count").numberOr(0),
    url: json.at("html_url").textOr(undefined),
  };
}

function detailsOf(check: Check, annotations: readonly CheckAnnotation[]): object {
  return {
    ...(check.url === undefined ? {} : { details_url: check.url }),
    output: {
      title: cutText(oneLine(check.title), 255),
      summary: cutText(check.summary, LIMITS.summary),
      ...(check.text === undefined ? {} : { text: cutText(check.text, LIMITS.text) }),
      ...(annotations.length === 0 ? {} : { annotations: annotations.map(annotationOf) }),
    },
  };
}

function annotationOf({ path: file, startLine, endLine, level, title, message }: CheckAnnotation): object {
  return {
    path: file,
    start_line: startLine,
    end_line: Math.max(startLine, endLine ?? startLine),
    annotation_level: level,
    message: cutText(message, LIMITS.annotationMessage),
    ...(title === undefined ? {} : { title: cutText(oneLine(title), 255) }),
  };
}

const DIGEST_PREFIX = "flaghoist-";

function digestOf({ name, conclusion, title, summary, text, annotations, url }: Check): string {
  const content = JSON.stringify([name, conclusion, title, summary, text, annotations, url]);
  return `${DIGEST_PREFIX}${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;
}
