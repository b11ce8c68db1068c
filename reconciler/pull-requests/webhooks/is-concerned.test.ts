import { describe, expect, it } from "vitest";
import type { GitRepository, GitRepositoryRef } from "../../../api/gitops.ts";
import type { WebhookEvent } from "../../forges/webhooks/webhook-event.ts";
import { type ConcernedSource, isConcerned } from "./is-concerned.ts";

const source: ConcernedSource = { url: "https://github.com/octo/shop.git" };

function gitRepository(spec: Partial<GitRepository["spec"]> = {}): GitRepository {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "GitRepository",
    metadata: { name: "shop", namespace: "shop" },
    spec: { url: source.url, ...spec },
  };
}

function push(branches: readonly string[], tags: readonly string[] = []): WebhookEvent {
  return {
    type: "push",
    branches: branches.map((name) => ({ name, before: undefined, after: "1".repeat(40) })),
    tags,
    repository: { path: "octo/shop", urls: [] },
    deliveryId: "d-1",
  };
}

describe("isConcerned", () => {
  it.each([
    "https://github.com/octo/shop",
    "https://token@github.com/Octo/Shop.git",
    "ssh://git@github.com/octo/shop.git",
    "git@github.com:octo/shop.git",
    "ssh://git@ssh.github.com:443/octo/shop.git",
  ])("is about every GitRepository of the repository, also by %s", (url) => {
    expect(isConcerned(push(["main"]), gitRepository({ url }), source)).toBe(true);
  });

  it.each([
    "https://github.com/octo/shop2.git",
    "https://github.com/other/shop.git",
    "https://github.example.com/octo/shop.git",
    "https://example.com/octo/shop.git",
    "/srv/shop",
    "",
  ])("is about no other: %j", (url) => {
    expect(isConcerned(push(["main"]), gitRepository({ url }), source)).toBe(false);
  });

  it.each<readonly [string, ConcernedSource, string, boolean]>([
    [
      "Azure DevOps by ssh",
      { url: "https://dev.azure.com/acme/proj/_git/shop" },
      "git@ssh.dev.azure.com:v3/acme/proj/shop",
      true,
    ],
    [
      "Bitbucket Data Center by ssh",
      { url: "https://bitbucket.example.com/scm/prj/shop.git" },
      "ssh://git@bitbucket.example.com:7999/PRJ/shop.git",
      true,
    ],
    [
      "a GitLab below a path by ssh",
      { url: "https://example.com/gitlab/team/shop.git", kind: "gitlab", baseUrl: "https://example.com/gitlab" },
      "git@example.com:team/shop.git",
      true,
    ],
    [
      "the same path at another host than the provider's",
      { url: "https://example.com/gitlab/team/shop.git", kind: "gitlab", baseUrl: "https://example.com/gitlab" },
      "https://gitlab.com/team/shop.git",
      false,
    ],
  ])("knows %s", (_name, of, url, expected) => {
    expect(isConcerned(push(["main"]), gitRepository({ url }), of)).toBe(expected);
  });

  it.each<readonly [string, GitRepositoryRef | undefined, WebhookEvent, boolean]>([
    ["the branch", { branch: "main" }, push(["topic", "main"]), true],
    ["another branch", { branch: "main" }, push(["topic"], ["v1"]), false],
    ["the default branch, which may be any", undefined, push(["topic"]), true],
    ["a tag beside the default branch", undefined, push([], ["v1"]), false],
    ["a commit, which stays", { commit: "1".repeat(40), branch: "main" }, push(["main"]), false],
    ["a range of versions", { semver: ">=1", branch: "main" }, push([], ["v2"]), true],
    ["a branch beside a range of versions", { semver: ">=1", branch: "main" }, push(["main"]), false],
    ["the tag", { tag: "v1" }, push([], ["v1"]), true],
    ["another tag", { tag: "v1" }, push(["main"], ["v2"]), false],
    ["the branch by its full name", { name: "refs/heads/main", tag: "v1" }, push(["main"]), true],
    ["another branch by its full name", { name: "refs/heads/main" }, push(["topic"], ["main"]), false],
    ["the tag by its full name", { name: "refs/tags/v1" }, push([], ["v1"]), true],
    ["a reference that is neither", { name: "refs/pull/7/head" }, push(["topic"]), true],
  ])("asks whether what was pushed can be followed: %s", (_name, ref, event, expected) => {
    expect(isConcerned(event, gitRepository(ref === undefined ? {} : { ref }), source)).toBe(expected);
  });

  it("leaves alone what is suspended, and what no push told", () => {
    const { repository, deliveryId } = push(["main"]) as Extract<WebhookEvent, { type: "push" }>;
    const comment = { type: "comment", number: 7, comment: { id: "1", body: "", author: { name: "ada" } } } as const;

    expect(isConcerned(push(["main"]), gitRepository({ suspend: true }), source)).toBe(false);
    expect(isConcerned({ ...comment, repository, deliveryId }, gitRepository(), source)).toBe(false);
    expect(isConcerned({ type: "ping", deliveryId }, gitRepository(), source)).toBe(false);
  });
});
