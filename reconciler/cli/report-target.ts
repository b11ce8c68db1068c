// Which pull request a report goes to, and with whose credentials: by the command line, and by what a pipeline says.
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseJson } from "../../kube/json.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { isSameRepository } from "../../sources/git/same-repository.ts";
import { redactUrl } from "../../sources/redact-url.ts";
import { type CiRun, ciEnvironment, withCiEvent } from "../forges/ci-environment.ts";
import type { ForgeKind, ForgeUser } from "../forges/forge.ts";
import type { ForgeCredentials } from "../forges/open-forge.ts";
import { type RepositoryAddress, repositoryAddress } from "../forges/repository-address.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const TARGET_OPTIONS: Readonly<Record<string, CommandOption>> = {
  repository: {
    type: "string",
    value: "URL",
    help: "clone URL of the repository that has the pull request (default: by the pipeline)",
  },
  provider: {
    type: "string",
    value: "KIND",
    help: "github, gitlab, gitea, forgejo, bitbucket-cloud, bitbucket-data-center or azure-devops (default: by the pipeline, or the URL)",
  },
  "provider-url": {
    type: "string",
    value: "URL",
    help: "where the provider is installed, when that is not the root of the repository's host",
  },
  "pull-request": { type: "string", value: "N", help: "number of the pull request (default: by the pipeline)" },
  "token-file": {
    type: "string",
    value: "FILE",
    help: "holds the provider's token (default: $FLAGHOIST_FORGE_TOKEN, then the provider's own variable)",
  },
  user: {
    type: "string",
    value: "NAME",
    help: "whose token that is, where the provider does not tell (access tokens of Bitbucket)",
  },
};

export interface ReportTarget {
  readonly repository: string;
  readonly address: RepositoryAddress;
  readonly baseUrl: string | undefined;
  readonly pullRequest: number;
  readonly credentials: ForgeCredentials | undefined;
  /** By which variables a token can be given. */
  readonly tokenVariables: readonly string[];
  readonly user: ForgeUser | undefined;
  /** What runs this, where it runs for this pull request. */
  readonly run: CiRun | undefined;
}

const KINDS: Readonly<Record<string, ForgeKind>> = {
  github: "github",
  gitlab: "gitlab",
  gitea: "gitea",
  forgejo: "gitea",
  "bitbucket-cloud": "bitbucket-cloud",
  "bitbucket-data-center": "bitbucket-data-center",
  "azure-devops": "azure-devops",
};

const OWN_TOKEN = "FLAGHOIST_FORGE_TOKEN";
/** Outside of pipelines, by the names that the providers' own programs read. */
const TOKEN_VARIABLES: Readonly<Record<ForgeKind, readonly string[]>> = {
  github: [OWN_TOKEN, "GITHUB_TOKEN", "GH_TOKEN"],
  gitlab: [OWN_TOKEN, "GITLAB_TOKEN"],
  gitea: [OWN_TOKEN, "GITEA_TOKEN"],
  "bitbucket-cloud": [OWN_TOKEN, "BITBUCKET_TOKEN"],
  "bitbucket-data-center": [OWN_TOKEN, "BITBUCKET_TOKEN"],
  "azure-devops": [OWN_TOKEN, "AZURE_DEVOPS_EXT_PAT"],
};

const MOST_BYTES = 65_536;
const MOST_EVENT_BYTES = 32 << 20;

/** Throws `pull-request-unknown`, usage errors, and what the address of a repository throws. */
export function readReportTarget(invocation: Invocation): ReportTarget {
  const { env } = invocation.io;
  const run = readRun(env);
  const named = stringOption(invocation, "repository");
  const repository = named ?? run?.repository;
  if (repository === undefined)
    throw new UsageError(
      "this is no pipeline of a pull request that is known: name it with --repository URL and --pull-request N",
    );
  // A pipeline's token is for its own repository, whatever a command line says.
  const isOwn = run !== undefined && isSameRepository(repository, run.repository);
  const kind = readKind(invocation) ?? (isOwn ? run.kind : undefined);
  const baseUrl = stringOption(invocation, "provider-url") ?? (isOwn ? run.baseUrl : undefined);
  const address = repositoryAddress(repository, { kind, baseUrl });
  const pullRequest = readNumber(invocation) ?? (isOwn ? run.pullRequest : undefined);
  if (pullRequest === undefined) throw pullRequestUnknown(isOwn ? run.system : undefined, redactUrl(repository));
  const variables = isOwn ? run.tokenVariables : run === undefined ? TOKEN_VARIABLES[address.kind] : [OWN_TOKEN];
  const userName = stringOption(invocation, "user");
  return {
    repository,
    address,
    baseUrl,
    pullRequest,
    credentials: readToken(invocation) ?? (isOwn ? run.credentials : tokenIn(env, variables)),
    tokenVariables: variables,
    user: userName === undefined ? undefined : { name: userName },
    run: isOwn && run.pullRequest === pullRequest ? run : undefined,
  };
}

function readRun(env: Invocation["io"]["env"]): CiRun | undefined {
  const run = ciEnvironment(env);
  if (run?.eventFile === undefined) return run;
  try {
    if (statSync(run.eventFile).size > MOST_EVENT_BYTES) return run;
    return withCiEvent(run, parseJson(readFileSync(run.eventFile, "utf8")));
  } catch {
    // The event only adds to what the variables say, and what is missing is told of where it is needed.
    return run;
  }
}

function readKind(invocation: Invocation): ForgeKind | undefined {
  const word = stringOption(invocation, "provider");
  if (word === undefined) return undefined;
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  if (kind === undefined) throw new UsageError(`--provider is one of ${Object.keys(KINDS).join(", ")}, not "${word}"`);
  return kind;
}

function readNumber(invocation: Invocation): number | undefined {
  const text = stringOption(invocation, "pull-request");
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new UsageError(`--pull-request takes a number, not "${text}"`);
  return Number(text);
}

function readToken(invocation: Invocation): ForgeCredentials | undefined {
  const name = stringOption(invocation, "token-file");
  if (name === undefined) return undefined;
  const file = resolve(invocation.io.cwd, name);
  let token: string;
  try {
    if (statSync(file).size > MOST_BYTES) throw new UsageError(`--token-file ${name} is too large for a token`);
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--token-file: ${messageOf(error)}`);
  }
  if (token === "") throw new UsageError(`--token-file ${name} is empty`);
  return { type: "token", token };
}

function tokenIn(env: Invocation["io"]["env"], names: readonly string[]): ForgeCredentials | undefined {
  const token = names.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  return token === undefined ? undefined : { type: "token", token: token.trim() };
}

function pullRequestUnknown(system: string | undefined, repository: string): AppError {
  const where =
    system === undefined
      ? `which pull request of ${repository} is not said`
      : `this run of ${system} is for no pull request`;
  const advice =
    system === undefined
      ? "name it with --pull-request N"
      : "run it for pull requests (merge requests), or name one with --pull-request N";
  return new AppError("pull-request-unknown", `${where}: ${advice}`, { recovery: "stall" });
}
