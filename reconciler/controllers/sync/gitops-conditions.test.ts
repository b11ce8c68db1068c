import { describe, expect, it } from "vitest";
import type { Condition } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { failed, progressing, succeeded } from "./gitops-conditions.ts";

const EARLY = { nowMs: Date.UTC(2026, 0, 1), generation: 1 };
const LATE = { nowMs: Date.UTC(2026, 0, 2), generation: 2 };

function brief(conditions: readonly Condition[]): string[] {
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`).sort();
}

const retry = new AppError("git-timeout", "took too long", { recovery: "retry" });
const stall = new AppError("git-auth-failed", "no access", { recovery: "stall" });

describe("progressing", () => {
  it("makes Ready unknown the first time", () => {
    expect(brief(progressing([], "working", EARLY))).toEqual([
      "Ready=Unknown Progressing",
      "Reconciling=True Progressing",
    ]);
  });

  it("keeps the last outcome, and is no longer stalled", () => {
    const before = failed([], stall, EARLY);

    expect(brief(progressing(before, "working", LATE))).toEqual([
      "Ready=False GitAuthFailed",
      "Reconciling=True Progressing",
    ]);
  });
});

describe("succeeded", () => {
  it("leaves Ready alone", () => {
    const before = failed([], retry, EARLY);

    expect(brief(succeeded(before, "Succeeded", "all is well", LATE))).toEqual(["Ready=True Succeeded"]);
  });

  it("keeps the time of the transition while it stays ready, and says for which generation", () => {
    const [ready] = succeeded(succeeded([], "A", "first", EARLY), "B", "second", LATE);

    expect(ready).toMatchObject({
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 2,
      message: "second",
    });
  });
});

describe("failed", () => {
  it("goes on trying after a failure that may pass", () => {
    expect(brief(failed(succeeded([], "Succeeded", "ok", EARLY), retry, LATE))).toEqual([
      "Ready=False GitTimeout",
      "Reconciling=True ProgressingWithRetry",
    ]);
  });

  it("is stalled by a failure that needs a person", () => {
    expect(brief(failed(progressing([], "working", EARLY), stall, LATE))).toEqual([
      "Ready=False GitAuthFailed",
      "Stalled=True GitAuthFailed",
    ]);
  });

  it("is no longer stalled when the next failure may pass", () => {
    expect(brief(failed(failed([], stall, EARLY), retry, LATE))).toEqual([
      "Ready=False GitTimeout",
      "Reconciling=True ProgressingWithRetry",
    ]);
  });

  it("calls what was not anticipated an internal error", () => {
    expect(brief(failed([], new TypeError("oops"), EARLY))[0]).toBe("Ready=False InternalError");
  });
});
