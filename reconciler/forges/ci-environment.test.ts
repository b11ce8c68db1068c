import { describe, expect, it } from "vitest";
import { ciEnvironment, withCiEvent } from "./ci-environment.ts";
import { repositoryAddress } from "./repository-address.ts";

const GITHUB = {
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "octo/shop",
  GITHUB_REF: "refs/pull/7/merge",
  GITHUB_BASE_REF: "main",
  GITHUB_RUN_ID: "99",
  GITHUB_TOKEN: "t",
};
const GITLAB = {
  GITLAB_CI: "true",
  CI_SERVER_URL: "https://example.com/gitlab",
  CI_PROJECT_URL: "https://example.com/gitlab/eve/shop",
  CI_MERGE_REQUEST_PROJECT_URL: "https://example.com/gitlab/group/shop",
  CI_MERGE_REQUEST_IID: "7",
  CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main",
  CI_JOB_URL: "https://example.com/gitlab/eve/shop/-/jobs/1",
  CI_JOB_TOKEN: "job",
  GITLAB_TOKEN: "t",
};
const BITBUCKET = {
  BITBUCKET_BUILD_NUMBER: "5",
  BITBUCKET_REPO_FULL_NAME: "acme/shop",
  BITBUCKET_PR_ID: "7",
  BITBUCKET_PR_DESTINATION_BRANCH: "main",
  BITBUCKET_TOKEN: "t",
};
const AZURE = {
  TF_BUILD: "True",
  BUILD_REPOSITORY_PROVIDER: "TfsGit",
  BUILD_REPOSITORY_URI: "https://acme@dev.azure.com/acme/proj/_git/shop",
  SYSTEM_PULLREQUEST_PULLREQUESTID: "7",
  SYSTEM_PULLREQUEST_TARGETBRANCH: "refs/heads/main",
  SYSTEM_COLLECTIONURI: "https://dev.azure.com/acme/",
  SYSTEM_TEAMPROJECT: "proj",
  BUILD_BUILDID: "12",
  SYSTEM_ACCESSTOKEN: "t",
};

describe("ciEnvironment", () => {
  it.each([
    ["GitHub Actions", GITHUB, "github", "octo/shop", "token", "https://github.com/octo/shop/actions/runs/99"],
    [
      "Gitea Actions",
      {
        ...GITHUB,
        GITEA_ACTIONS: "true",
        GITHUB_SERVER_URL: "https://git.example.com",
        GITHUB_REF: "refs/pull/7/head",
      },
      "gitea",
      "octo/shop",
      "token",
      "https://git.example.com/octo/shop/actions/runs/99",
    ],
    ["GitLab CI", GITLAB, "gitlab", "group/shop", "token", "https://example.com/gitlab/eve/shop/-/jobs/1"],
    [
      "Bitbucket Pipelines",
      BITBUCKET,
      "bitbucket-cloud",
      "acme/shop",
      "token",
      "https://bitbucket.org/acme/shop/pipelines/results/5",
    ],
    [
      "Azure Pipelines",
      AZURE,
      "azure-devops",
      "acme/proj/shop",
      "bearer",
      "https://dev.azure.com/acme/proj/_build/results?buildId=12",
    ],
  ])("reads %s", (system, environment, kind, path, type, runUrl) => {
    const run = ciEnvironment(environment);

    expect(run).toMatchObject({
      system,
      kind,
      pullRequest: 7,
      baseBranch: "main",
      runUrl,
      credentials: { type, token: "t" },
    });
    const address = repositoryAddress(run?.repository ?? "", { kind: run?.kind, baseUrl: run?.baseUrl });
    expect(address.path.join("/")).toBe(path);
  });

  it.each([GITHUB, GITLAB, BITBUCKET, AZURE])("prefers a token that is meant for it", (environment) => {
    expect(ciEnvironment({ ...environment, FLAGHOIST_FORGE_TOKEN: "mine\n" })?.credentials).toEqual({
      type: "token",
      token: "mine",
    });
  });

  it("knows that a run is for a branch", () => {
    expect(ciEnvironment({ ...GITHUB, GITHUB_REF: "refs/heads/main", GITHUB_BASE_REF: "" })).toMatchObject({
      pullRequest: undefined,
      baseBranch: undefined,
    });
  });

  it("does not take the token of GitLab's job, which may not comment", () => {
    expect(ciEnvironment({ ...GITLAB, GITLAB_TOKEN: "" })).toMatchObject({
      credentials: undefined,
      tokenVariables: ["FLAGHOIST_FORGE_TOKEN", "GITLAB_TOKEN"],
    });
  });

  it("reads a repository of GitHub in Azure Pipelines", () => {
    const environment = {
      ...AZURE,
      BUILD_REPOSITORY_PROVIDER: "GitHub",
      BUILD_REPOSITORY_URI: "https://github.com/octo/shop",
      SYSTEM_PULLREQUEST_PULLREQUESTNUMBER: "8",
      GITHUB_TOKEN: "g",
    };

    expect(ciEnvironment(environment)).toMatchObject({ kind: "github", pullRequest: 8, credentials: { token: "g" } });
  });

  it("is nothing at a terminal", () => {
    expect(ciEnvironment({ PATH: "/bin", GITHUB_TOKEN: "t" })).toBeUndefined();
  });
});

const HEAD = "1111111111111111111111111111111111111111";
const BASE = "2222222222222222222222222222222222222222";

describe("the commits of a pull request", () => {
  it("are those of the merge request, not of its trial merge, on GitLab", () => {
    const detached = { ...GITLAB, CI_COMMIT_SHA: HEAD, CI_MERGE_REQUEST_DIFF_BASE_SHA: BASE };
    expect(ciEnvironment(detached)).toMatchObject({ head: HEAD, base: BASE });
    const merged = { ...detached, CI_COMMIT_SHA: BASE, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: HEAD };
    expect(ciEnvironment(merged)).toMatchObject({ head: HEAD, base: BASE });
  });

  it("are said by variables of Bitbucket and Azure Pipelines", () => {
    expect(ciEnvironment({ ...BITBUCKET, BITBUCKET_COMMIT: HEAD })).toMatchObject({ head: HEAD, base: undefined });
    const azure = { ...AZURE, SYSTEM_PULLREQUEST_SOURCECOMMITID: HEAD, SYSTEM_PULLREQUEST_ISFORK: "True" };
    expect(ciEnvironment(azure)).toMatchObject({ head: HEAD, isFork: true });
  });

  it("are in the event of GitHub, with whether it is a fork", () => {
    const run = ciEnvironment(GITHUB);
    if (run === undefined) throw new Error("not known");
    const pull = { number: 7, head: { sha: HEAD, repo: { id: 2 } }, base: { sha: BASE, repo: { id: 1 } } };
    expect(withCiEvent(run, { pull_request: pull })).toMatchObject({ head: HEAD, base: BASE, isFork: true });
    const gone = { ...pull, head: { sha: HEAD, repo: null } };
    expect(withCiEvent(run, { pull_request: gone })).toMatchObject({ isFork: true });
    expect(withCiEvent(run, { pull_request: { ...pull, head: pull.base } })).toMatchObject({ isFork: false });
  });

  it("come with the number where a comment was written", () => {
    const run = ciEnvironment({ ...GITHUB, GITHUB_REF: "refs/heads/main" });
    if (run === undefined) throw new Error("not known");
    expect(withCiEvent(run, { issue: { number: 9, pull_request: {} } }).pullRequest).toBe(9);
    expect(withCiEvent(run, { issue: { number: 9 } }).pullRequest).toBeUndefined();
    for (const event of [undefined, null, [], "x", { pull_request: 3 }, { pull_request: { head: { sha: 7 } } }])
      expect(withCiEvent(run, event)).toEqual(run);
  });
});
