import { describe, expect, it } from "vitest";
import type { ReportedPullRequest, ReporterPullRequests } from "../../../api/reporter.ts";
import type { PullRequest } from "../../forges/forge.ts";
import { decidePullRequest, matchesPattern, type PullRequestSituation } from "./decide-pull-request.ts";

const HEAD = "1111111111111111111111111111111111111111";
const OTHER = "3333333333333333333333333333333333333333";

function pull(more: Partial<PullRequest> = {}): PullRequest {
  return {
    number: 7,
    title: "Five of them",
    url: "https://git.example.com/acme/shop/pulls/7",
    author: { name: "ada" },
    state: "open",
    draft: false,
    labels: [],
    head: { sha: HEAD, branch: "more" },
    base: { sha: undefined, branch: "main" },
    isFork: false,
    ...more,
  };
}

function entry(more: Partial<ReportedPullRequest> = {}): ReportedPullRequest {
  return { number: 7, head: HEAD, baseBranch: "main", state: "Planned", plannedAt: "2026-01-01T00:00:00Z", ...more };
}

function situation(
  more: Partial<PullRequestSituation> & { readonly wants?: ReporterPullRequests },
): PullRequestSituation {
  const { wants = {}, ...rest } = more;
  return {
    pull: pull(),
    spec: { pullRequests: wants, commands: {} },
    sourceBranch: "main",
    remembered: undefined,
    isSaid: true,
    mayRetry: false,
    ...rest,
  };
}

const plan = (why: string) => ({ do: "plan", why });
const skip = (message: string) => ({ do: "skip", message });
const WAITS = {
  do: "wait",
  message: "it comes from another repository: waits for /flaghoist plan by somebody with permission write",
};
const FORK = pull({ isFork: true });

describe("decidePullRequest", () => {
  it.each<[string, Parameters<typeof situation>[0], unknown]>([
    ["a new one", {}, plan("new")],
    ["one that is planned", { remembered: entry() }, { do: "nothing" }],
    ["one that is planned, whose comment is gone", { remembered: entry(), isSaid: false }, plan("comment is gone")],
    ["another head", { remembered: entry({ head: OTHER }) }, plan("new head")],
    ["another head after a failure", { remembered: entry({ head: OTHER, state: "Failed" }) }, plan("new head")],
    ["another base branch", { remembered: entry({ baseBranch: "release" }) }, plan("new base")],
    ["one whose plan was cut off", { remembered: waiting() }, plan("not planned")],
    ["one that has failed", { remembered: entry({ state: "Failed" }) }, { do: "nothing" }],
    ["a failure to be tried again", { remembered: entry({ state: "Failed" }), mayRetry: true }, plan("failed before")],
    ["one that was skipped before", { remembered: waiting({ state: "Skipped" }) }, plan("not planned")],
    ["a closed one", { pull: pull({ state: "closed" }), remembered: entry() }, { do: "forget" }],
    ["a merged one", { pull: pull({ state: "merged" }) }, { do: "forget" }],
    ["a fork", { pull: FORK }, WAITS],
    ["a fork, asked for", { pull: FORK, remembered: waiting({ requestedBy: "ada" }) }, plan("not planned")],
    ["a fork, planned as asked for", { pull: FORK, remembered: entry({ requestedBy: "ada" }) }, { do: "nothing" }],
    [
      "a fork, asked for at another head",
      { pull: FORK, remembered: entry({ head: OTHER, requestedBy: "ada" }) },
      WAITS,
    ],
    ["a fork where all are planned", { pull: FORK, wants: { forks: "plan" } }, plan("new")],
    ["a fork where none is", { pull: FORK, wants: { forks: "ignore" } }, skip("it comes from another repository")],
    ["a draft", { pull: pull({ draft: true }) }, plan("new")],
    ["a draft where none is wanted", { pull: pull({ draft: true }), wants: { drafts: false } }, skip("it is a draft")],
    ["another base", { pull: onto("release-1") }, skip("its base release-1 is none of main")],
    ["a base that is named", { pull: onto("release-1"), wants: { branches: ["main", "release-*"] } }, plan("new")],
    [
      "the source's branch where others are named",
      { wants: { branches: ["release-*"] } },
      skip("its base main is none of release-*"),
    ],
    ["one without the label", { wants: { labels: ["plan"] } }, skip("it has none of the labels plan")],
    ["one with a label", { pull: pull({ labels: ["x", "plan"] }), wants: { labels: ["plan", "all"] } }, plan("new")],
    [
      "one that lost its label after it was planned",
      { wants: { labels: ["plan"] }, remembered: entry() },
      skip("it has none of the labels plan"),
    ],
    [
      "a source that follows no branch",
      { sourceBranch: undefined },
      skip("which branch the source follows is not known: set spec.pullRequests.branches"),
    ],
    [
      "a source that follows no branch, with branches",
      { sourceBranch: undefined, wants: { branches: ["*"] } },
      plan("new"),
    ],
  ])("%s", (_, given, decision) => {
    expect(decidePullRequest(situation(given))).toEqual(decision);
  });

  it("does not plan where only commands are wanted", () => {
    expect(decidePullRequest({ ...situation({}), spec: { commands: {} } })).toEqual(skip("spec.pullRequests is empty"));
  });

  it("says that nobody can ask where nobody is listened to", () => {
    expect(decidePullRequest({ ...situation({ pull: FORK }), spec: { pullRequests: {} } })).toEqual({
      do: "wait",
      message: "it comes from another repository, and nobody can ask for a plan: spec.commands is empty",
    });
  });
});

describe("matchesPattern", () => {
  it.each([
    ["main", "main", true],
    ["main", "main2", false],
    ["*", "anything/at/all", true],
    ["release-*", "release-1.2", true],
    ["release-*", "my-release-1", false],
    ["*-stable", "v1-stable", true],
    ["a*b", "ab", true],
    ["a*b", "a", false],
    ["ab*ba", "aba", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*c*b", "a-b-c", false],
    ["v1.0", "v1x0", false],
  ])("%s takes %s: %s", (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });

  it("takes no longer for names that are made to take long", () => {
    const start = performance.now();
    expect(matchesPattern(`${"a*".repeat(100)}b`, "a".repeat(100_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

function waiting(more: Partial<ReportedPullRequest> = {}): ReportedPullRequest {
  return { number: 7, head: HEAD, baseBranch: "main", state: "Waiting", ...more };
}

function onto(branch: string): PullRequest {
  return pull({ base: { sha: undefined, branch } });
}
