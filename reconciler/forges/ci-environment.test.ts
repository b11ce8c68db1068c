import { describe, expect, it } from "vitest";
import { ciEnvironment } from "./ci-environment.ts";
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
