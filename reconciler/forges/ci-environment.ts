// What a pipeline's environment says of the pull request it runs for.
import { isObject } from "../../kube/object.ts";
import type { ForgeKind } from "./forge.ts";
import type { ForgeCredentials } from "./open-forge.ts";

export interface CiRun {
  /** Of the software that runs it: `GitHub Actions`. */
  readonly system: string;
  readonly kind: ForgeKind;
  /** The clone URL of the repository that the pull request is in, not of a fork. */
  readonly repository: string;
  /** Where the provider is installed, if the environment tells. */
  readonly baseUrl: string | undefined;
  /** Absent when it runs for a branch. */
  readonly pullRequest: number | undefined;
  readonly baseBranch: string | undefined;
  /** The commits of the pull request that the run is about: its own head, never a trial merge. */
  readonly head: string | undefined;
  readonly base: string | undefined;
  /** Absent when the environment does not tell. */
  readonly isFork: boolean | undefined;
  /** A file that says more (`withCiEvent`). */
  readonly eventFile: string | undefined;
  /** For a browser. */
  readonly runUrl: string | undefined;
  readonly credentials: ForgeCredentials | undefined;
  /** Variables by which a token can be given, the first that is set counts. */
  readonly tokenVariables: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Counts before those that a system has of its own. */
const OWN_TOKEN = "FLAGHOIST_FORGE_TOKEN";

/** Reads where a command runs; `undefined` when that is no pipeline that is known. */
export function ciEnvironment(environment: Environment): CiRun | undefined {
  const read = (name: string) => (environment[name] === "" ? undefined : environment[name]);
  if (read("GITHUB_ACTIONS") === "true" || read("GITEA_ACTIONS") === "true") return actions(read);
  if (read("GITLAB_CI") === "true") return gitlab(read);
  if (read("BITBUCKET_BUILD_NUMBER") !== undefined) return bitbucket(read);
  if (read("TF_BUILD") !== undefined) return azure(read);
  return undefined;
}

type Read = (name: string) => string | undefined;

/** Gitea and Forgejo set GitHub's variables too. */
function actions(read: Read): CiRun | undefined {
  const [server, name] = [read("GITHUB_SERVER_URL"), read("GITHUB_REPOSITORY")];
  if (server === undefined || name === undefined) return undefined;
  const isGitea = read("GITEA_ACTIONS") === "true" || read("FORGEJO_ACTIONS") === "true";
  const tokens = isGitea ? [OWN_TOKEN, "GITEA_TOKEN", "GITHUB_TOKEN"] : [OWN_TOKEN, "GITHUB_TOKEN"];
  const run = read("GITHUB_RUN_ID");
  return {
    system: isGitea ? "Gitea Actions" : "GitHub Actions",
    kind: isGitea ? "gitea" : "github",
    repository: `${server}/${name}.git`,
    baseUrl: server,
    pullRequest: numberOf(/^refs\/pull\/([0-9]+)\//.exec(read("GITHUB_REF") ?? "")?.[1]),
    baseBranch: read("GITHUB_BASE_REF"),
    // GITHUB_SHA is a trial merge, of which the provider knows nothing in the pull request.
    head: undefined,
    base: undefined,
    isFork: undefined,
    eventFile: read("GITHUB_EVENT_PATH"),
    runUrl: run === undefined ? undefined : `${server}/${name}/actions/runs/${run}`,
    credentials: tokenIn(read, tokens),
    tokenVariables: tokens,
  };
}

/** Pipelines of a fork run in the fork: the merge request's own project is the one to speak to. */
function gitlab(read: Read): CiRun | undefined {
  const project = read("CI_MERGE_REQUEST_PROJECT_URL") ?? read("CI_PROJECT_URL");
  if (project === undefined) return undefined;
  const tokens = [OWN_TOKEN, "GITLAB_TOKEN"];
  return {
    system: "GitLab CI",
    kind: "gitlab",
    repository: `${project}.git`,
    baseUrl: read("CI_SERVER_URL"),
    pullRequest: numberOf(read("CI_MERGE_REQUEST_IID")),
    baseBranch: read("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
    // The first is set where the pipeline runs for a trial merge.
    head: commitOf(read("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") ?? read("CI_COMMIT_SHA")),
    base: commitOf(read("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
    isFork: differ(read("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), read("CI_MERGE_REQUEST_PROJECT_ID")),
    eventFile: undefined,
    runUrl: read("CI_JOB_URL"),
    // The job's own token may not comment.
    credentials: tokenIn(read, tokens),
    tokenVariables: tokens,
  };
}

function bitbucket(read: Read): CiRun | undefined {
  const name = read("BITBUCKET_REPO_FULL_NAME");
  if (name === undefined) return undefined;
  const tokens = [OWN_TOKEN, "BITBUCKET_TOKEN", "BITBUCKET_ACCESS_TOKEN"];
  return {
    system: "Bitbucket Pipelines",
    kind: "bitbucket-cloud",
    repository: `https://bitbucket.org/${name}.git`,
    baseUrl: undefined,
    pullRequest: numberOf(read("BITBUCKET_PR_ID")),
    baseBranch: read("BITBUCKET_PR_DESTINATION_BRANCH"),
    head: commitOf(read("BITBUCKET_COMMIT")),
    base: commitOf(read("BITBUCKET_PR_DESTINATION_COMMIT")),
    isFork: undefined,
    eventFile: undefined,
    runUrl: `https://bitbucket.org/${name}/pipelines/results/${read("BITBUCKET_BUILD_NUMBER")}`,
    credentials: tokenIn(read, tokens),
    tokenVariables: tokens,
  };
}

/** Repositories of Azure Repos, or of GitHub; others are not spoken to. */
function azure(read: Read): CiRun | undefined {
  const repository = read("BUILD_REPOSITORY_URI");
  const provider = read("BUILD_REPOSITORY_PROVIDER");
  if (repository === undefined || !/^(?:TfsGit|GitHub|GitHubEnterprise)$/.test(provider ?? "")) return undefined;
  const isGitHub = provider !== "TfsGit";
  const tokens = isGitHub ? [OWN_TOKEN, "GITHUB_TOKEN"] : [OWN_TOKEN, "AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"];
  const [collection, project, build] = [
    read("SYSTEM_COLLECTIONURI"),
    read("SYSTEM_TEAMPROJECT"),
    read("BUILD_BUILDID"),
  ];
  const own = tokenIn(read, tokens.slice(0, -1));
  const job = read("SYSTEM_ACCESSTOKEN");
  const ofJob: ForgeCredentials | undefined = job === undefined ? undefined : { type: "bearer", token: job };
  return {
    system: "Azure Pipelines",
    kind: isGitHub ? "github" : "azure-devops",
    repository,
    baseUrl: undefined,
    pullRequest: numberOf(read(isGitHub ? "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER" : "SYSTEM_PULLREQUEST_PULLREQUESTID")),
    baseBranch: read("SYSTEM_PULLREQUEST_TARGETBRANCH")?.replace(/^refs\/heads\//, ""),
    head: commitOf(read("SYSTEM_PULLREQUEST_SOURCECOMMITID")),
    base: undefined,
    isFork: isForkWord(read("SYSTEM_PULLREQUEST_ISFORK")),
    eventFile: undefined,
    runUrl:
      collection === undefined || project === undefined || build === undefined
        ? undefined
        : `${collection.replace(/\/$/, "")}/${encodeURIComponent(project)}/_build/results?buildId=${build}`,
    credentials: isGitHub ? tokenIn(read, tokens) : (own ?? ofJob),
    tokenVariables: tokens,
  };
}

function tokenIn(read: Read, names: readonly string[]): ForgeCredentials | undefined {
  const token = names.map(read).find((value) => value !== undefined);
  return token === undefined ? undefined : { type: "token", token: token.trim() };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function commitOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{7,40}$/.test(text) ? text : undefined;
}

function differ(a: string | undefined, b: string | undefined): boolean | undefined {
  return a === undefined || b === undefined ? undefined : a !== b;
}

function isForkWord(word: string | undefined): boolean | undefined {
  return word === undefined ? undefined : /^true$/i.test(word);
}

/**
 * The run with what its event file says, of GitHub's and Gitea's Actions: the pull request that a comment was written in,
 * and both commits. What is no such event adds nothing.
 */
export function withCiEvent(run: CiRun, event: unknown): CiRun {
  if (!isObject(event)) return run;
  const pull = childOf(event, "pull_request");
  const issue = childOf(event, "issue");
  const head = childOf(pull, "head");
  const base = childOf(pull, "base");
  const ids = [head, base].map((side) => childOf(side, "repo")["id"]);
  const number = pull["number"] ?? (isObject(issue["pull_request"]) ? issue["number"] : undefined);
  return {
    ...run,
    pullRequest: run.pullRequest ?? (Number.isSafeInteger(number) ? Number(number) : undefined),
    head: run.head ?? commitOf(textOf(head["sha"])),
    base: run.base ?? commitOf(textOf(base["sha"])),
    // A repository that is gone is null: then it was another one.
    isFork: run.isFork ?? (ids[1] === undefined ? undefined : ids[0] !== ids[1]),
  };
}

function childOf(parent: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const child = parent[name];
  return isObject(child) ? child : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
