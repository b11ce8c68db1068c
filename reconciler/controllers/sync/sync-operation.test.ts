import { describe, expect, it } from "vitest";
import type { Sync, SyncOperation } from "../../../api/gitops.ts";
import { AppError } from "../../../runtime/errors.ts";
import {
  decideFailure,
  decideOperation,
  hooksStillRunning,
  type OperationSubject,
  withHook,
} from "./sync-operation.ts";

const NOW = Date.UTC(2026, 0, 1);
const SUBJECT: OperationSubject = { revision: "main@sha1:aaa", digest: "d1", generation: 1, request: undefined };

function sync(status: Sync["status"], spec: Partial<Sync["spec"]> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "gitops", generation: 1 },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

function begin(subject: OperationSubject = SUBJECT): SyncOperation {
  const decision = decideOperation(sync(undefined), subject, NOW);
  if (decision.kind !== "run") throw new Error("does not run");
  return decision.operation;
}

function attemptOf(status: Sync["status"], subject: OperationSubject = SUBJECT): number | string {
  const decision = decideOperation(sync(status), subject, NOW + 60_000);
  return decision.kind === "run" ? decision.operation.attempt : decision.kind;
}

describe("decideOperation", () => {
  it("runs what was never applied", () => {
    expect(begin()).toMatchObject({ attempt: 1, phase: "PreSync", hooks: [], revision: "main@sha1:aaa" });
  });

  it("goes on with the attempt of before a restart, hooks and all", () => {
    const operation = withHook(
      { ...begin(), phase: "Sync", wave: 3 },
      { id: "a", v: "v1", phase: "PreSync", state: "Succeeded", message: "" },
    );

    expect(decideOperation(sync({ operation }), SUBJECT, NOW + 1)).toEqual({ kind: "run", operation });
  });

  it("only repeats what was applied whole, at another commit, too", () => {
    const status: Sync["status"] = { lastAppliedDigest: "d1", operation: { ...begin(), phase: "Succeeded" } };

    expect(attemptOf(status)).toBe("repeat");
    expect(attemptOf(status, { ...SUBJECT, revision: "main@sha1:bbb", generation: 2 })).toBe("repeat");
    expect(attemptOf(status, { ...SUBJECT, digest: "d2" })).toBe(1);
  });

  it("runs it again on request, once", () => {
    const done: SyncOperation = { ...begin(), phase: "Succeeded" };
    const asked = { ...SUBJECT, request: "now" };

    expect(attemptOf({ lastAppliedDigest: "d1", operation: done }, asked)).toBe(1);
    const answering = begin(asked);
    expect(decideOperation(sync({ lastAppliedDigest: "d1", operation: answering }), asked, NOW + 1)).toEqual({
      kind: "run",
      operation: answering,
    });
  });

  it("runs what was there before when an attempt at something else was left unfinished", () => {
    const operation: SyncOperation = { ...begin({ ...SUBJECT, digest: "d2" }), phase: "Retrying" };

    expect(attemptOf({ lastAppliedDigest: "d1", operation })).toBe(1);
  });

  it("counts attempts at the same content, and begins anew with other content or another spec", () => {
    const operation: SyncOperation = { ...begin(), phase: "Retrying", attempt: 2 };

    expect(attemptOf({ operation })).toBe(3);
    expect(attemptOf({ operation }, { ...SUBJECT, digest: "d2" })).toBe(1);
    expect(attemptOf({ operation }, { ...SUBJECT, generation: 2 })).toBe(1);
  });

  it("does not try again what was given up, until somebody asks or something changes", () => {
    const operation: SyncOperation = { ...begin(), phase: "Failed", message: "no", attempt: 6 };

    expect(decideOperation(sync({ operation }), SUBJECT, NOW)).toMatchObject({
      kind: "give-up",
      message: "no (given up after 6 attempts; a new revision or a request tries again)",
    });
    expect(attemptOf({ operation }, { ...SUBJECT, request: "now" })).toBe(1);
    expect(attemptOf({ operation }, { ...SUBJECT, digest: "d2" })).toBe(1);
  });

  it("gives each attempt a mark of its own", () => {
    const first = begin();
    const second = decideOperation(sync({ operation: { ...first, phase: "Retrying" } }), SUBJECT, NOW);

    expect(second.kind === "run" && second.operation.id).not.toBe(first.id);
  });
});

describe("hooksStillRunning", () => {
  it("names those that had not ended", () => {
    const running = { id: "a", v: "v1", phase: "PreSync", state: "Running", message: "" } as const;
    const operation = withHook(withHook(begin(), running), { ...running, id: "b", state: "Failed" });

    expect(hooksStillRunning(operation)).toEqual([running]);
    expect(hooksStillRunning(undefined)).toEqual([]);
  });
});

describe("decideFailure", () => {
  const applyFailed = new AppError("apply-failed", "refused", { recovery: "retry" });
  const hookFailed = new AppError("hook-failed", "broke", { recovery: "retry" });

  it("repeats always what the server refused, at the Sync's own pace", () => {
    const decision = decideFailure(sync(undefined), { ...begin(), attempt: 99 }, applyFailed);

    expect(decision).toMatchObject({ operation: { phase: "Retrying" }, error: applyFailed, retryAfterMs: undefined });
  });

  it("repeats a failed hook five times, each time later, as Argo CD does", () => {
    const failAt = (attempt: number) => decideFailure(sync(undefined), { ...begin(), attempt }, hookFailed);

    expect([1, 2, 3, 4, 5].map((attempt) => failAt(attempt).retryAfterMs)).toEqual([
      5_000, 10_000, 20_000, 40_000, 80_000,
    ]);
    expect(failAt(6)).toMatchObject({ operation: { phase: "Failed" }, error: { recovery: "stall" } });
    expect(failAt(6).error.message).toBe("broke (given up after 6 attempts; a new revision or a request tries again)");
  });

  it("goes by the Sync's own limit and pauses, for every failure", () => {
    const retry = { limit: 1, backoff: { duration: "1s", factor: 10, maxDuration: "5s" } };
    const failAt = (attempt: number) => decideFailure(sync(undefined, { retry }), { ...begin(), attempt }, applyFailed);

    expect(failAt(1)).toMatchObject({ operation: { phase: "Retrying" }, retryAfterMs: 1_000 });
    expect(failAt(2).operation.phase).toBe("Failed");
    const always = sync(undefined, { retry: { ...retry, limit: -1 } });
    expect(decideFailure(always, { ...begin(), attempt: 7 }, hookFailed)).toMatchObject({ retryAfterMs: 5_000 });
  });

  it("takes hooks that had not ended for failed", () => {
    const operation = withHook(begin(), { id: "a", v: "v1", phase: "PreSync", state: "Running", message: "runs" });

    expect(decideFailure(sync(undefined), operation, hookFailed).operation.hooks).toMatchObject([
      { id: "a", state: "Failed", message: "broke" },
    ]);
  });
});
