import { describe, expect, it } from "vitest";
import type { PlanApproval } from "../../../api/reporter.ts";
import type { Check } from "../../forges/forge.ts";
import { SAMPLES } from "../../reports/testing/sample-reports.ts";
import {
  APPROVAL_LASTS_MS,
  approvalContext,
  approvalNeeded,
  approvalOf,
  approvalStatus,
  approvedWords,
  shownSince,
  withApproval,
} from "./approvals.ts";

const NOW = Date.UTC(2026, 10, 29, 12, 0);
const HASH = `sha256:${"9c1f7e02b4d8".padEnd(64, "0")}`;
const OTHER = "b".repeat(64);

function approval(more: Partial<PlanApproval> = {}): PlanApproval {
  const at = "2026-11-29T11:00:00Z";
  return { at, by: "ada", comment: "31", head: "1".repeat(40), pullRequest: 7, renderHash: HASH, ...more };
}

describe("the words on a plan that is approved", () => {
  const check = { name: "flaghoist", title: "12 copies are deleted", summary: "", annotations: [] };
  const wordsWith = (conclusion: Check["conclusion"]) => ({ body: "plan", check: { ...check, conclusion } });

  it("fail no check any more, and say who answers for that", () => {
    expect(approvedWords(wordsWith("failure"), approval())).toEqual({
      body: "plan",
      check: { ...check, conclusion: "neutral", title: "approved by ada: 12 copies are deleted" },
    });
  });

  it("are the same where nothing failed, or nobody approved", () => {
    expect(approvedWords(wordsWith("success"), approval())).toEqual(wordsWith("success"));
    expect(approvedWords(wordsWith("failure"), undefined)).toEqual(wordsWith("failure"));
    expect(approvedWords({ body: "plan", check: undefined }, approval())).toEqual({ body: "plan", check: undefined });
  });
});

describe("approvals", () => {
  it("are of one pull request and one render hash", () => {
    const all = [approval()];

    expect(approvalOf(all, 7, HASH)).toEqual(approval());
    expect(approvalOf(all, 7, OTHER)).toBeUndefined();
    expect(approvalOf(all, 8, HASH)).toBeUndefined();
    expect(approvalOf(all, 7, undefined)).toBeUndefined();
  });

  it("are kept newest first, once each, and not for longer than they count", () => {
    const old = approval({ at: new Date(NOW - APPROVAL_LASTS_MS).toISOString(), pullRequest: 1 });
    const young = approval({ at: new Date(NOW - APPROVAL_LASTS_MS + 1000).toISOString(), pullRequest: 2 });

    const all = withApproval(withApproval([old, young], approval(), NOW), approval({ comment: "32" }), NOW);

    expect(all).toEqual([approval(), young]);
  });

  it("are no more than a hundred", () => {
    let all: PlanApproval[] = [];
    for (let pullRequest = 1; pullRequest <= 150; pullRequest++)
      all = withApproval(all, approval({ pullRequest }), NOW);

    expect(all).toHaveLength(100);
    expect(approvalOf(all, 150, HASH)).toBeDefined();
  });
});

describe("a render hash", () => {
  it("is shown since it was shown first, over heads that render to the same", () => {
    const before = { renderHash: HASH, shownSince: "2026-11-29T09:00:00Z" };

    expect(shownSince(before, HASH, "2026-11-29T10:00:00Z")).toBe("2026-11-29T09:00:00Z");
    expect(shownSince(before, OTHER, "2026-11-29T10:00:00Z")).toBe("2026-11-29T10:00:00Z");
    expect(shownSince({ renderHash: HASH }, HASH, "2026-11-29T10:00:00Z")).toBe("2026-11-29T10:00:00Z");
    expect(shownSince(before, undefined, "2026-11-29T10:00:00Z")).toBeUndefined();
  });
});

describe("what a person should approve", () => {
  it.each([
    ["replicaMove", undefined],
    ["massPrune", /would delete/],
    ["refused", /cannot be applied/],
  ] as const)("in the sample %s is %s", (name, words) => {
    const needed = approvalNeeded(SAMPLES[name]());

    if (words === undefined) expect(needed).toBeUndefined();
    else expect(needed).toMatch(words);
  });

  it("are errors and failed fleet tests as well", () => {
    const report = SAMPLES.replicaMove();
    const finding = { rule: "immutable-field", severity: "error", message: "would fail" } as const;

    expect(approvalNeeded({ ...report, findings: [finding], tests: [{ name: "six remain", outcome: "failed" }] })).toBe(
      "1 error, 1 fleet test failed",
    );
  });
});

describe("the status of a head", () => {
  const pull = { number: 7 } as Parameters<typeof approvalStatus>[0]["pull"];
  const state = { context: approvalContext(""), pull, renderHash: HASH, needed: "2 errors", approvals: [] };

  it("waits for approval where there is something to decide", () => {
    expect(approvalStatus(state)).toEqual({
      context: "flaghoist/approval",
      pullRequest: pull,
      state: "pending",
      description: "waits for approval: 2 errors",
    });
  });

  it("names who approved what", () => {
    expect(approvalStatus({ ...state, approvals: [approval()] })).toMatchObject({
      state: "success",
      description: "approved by ada (render hash 9c1f7e02b4d8)",
    });
  });

  it("waits again once the head renders to something else", () => {
    expect(approvalStatus({ ...state, renderHash: OTHER, approvals: [approval()] })).toMatchObject({
      state: "pending",
    });
    expect(approvalStatus({ ...state, renderHash: undefined, approvals: [approval()] })).toMatchObject({
      state: "pending",
    });
  });

  it("is a success where nothing has to be decided, so that a host may demand it", () => {
    expect(approvalStatus({ ...state, needed: undefined })).toMatchObject({ state: "success" });
  });

  it("is one for each folder that is planned", () => {
    expect(approvalContext("deploy/eu")).toBe("flaghoist/approval: deploy/eu");
  });
});
