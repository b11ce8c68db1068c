import { describe, expect, it } from "vitest";
import { SKIP_DELETION_HOOKS_ANNOTATION, type Sync, type SyncOperation } from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";
import {
  decideDeletion,
  describeHeldHooks,
  failDeletion,
  isDeletion,
  isNeededByHooks,
  skipsDeletionHooks,
} from "./deletion-operation.ts";

const NOW = Date.UTC(2026, 0, 1);
const DELETED_AT = "2026-01-01T00:00:00Z";

function sync(
  operation?: SyncOperation,
  annotations: Record<string, string> = {},
  spec: Partial<Sync["spec"]> = {},
): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "gitops", uid: "0123456789", deletionTimestamp: DELETED_AT, annotations },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, ...spec },
    status: { lastAttemptedRevision: "main@sha1:abcdef", ...(operation === undefined ? {} : { operation }) },
  };
}

function begun(): SyncOperation {
  return decideDeletion(sync(), NOW).operation;
}

describe("decideDeletion", () => {
  it("begins once, and goes on with that after a restart", () => {
    const operation = begun();

    expect(operation).toMatchObject({ attempt: 1, phase: "PreDelete", revision: "main@sha1:abcdef" });
    expect(isDeletion(operation)).toBe(true);
    expect(decideDeletion(sync(operation), NOW + 60_000)).toEqual({ kind: "run", operation, isRetry: false });
  });

  it("begins anew where the last operation was one of applying", () => {
    const applying = { ...begun(), id: "d1-xyz-1", phase: "PreSync" as const };

    expect(decideDeletion(sync(applying), NOW)).toMatchObject({ kind: "run", operation: { attempt: 1, hooks: [] } });
  });

  it("makes hooks that failed again, under the same names, and lets those stand that succeeded", () => {
    const hook = { v: "v1", phase: "PreDelete", message: "" } as const;
    const hooks = [
      { ...hook, id: "a", state: "Succeeded" as const },
      { ...hook, id: "b", state: "Running" as const },
    ];
    const { operation: failed, retryAfterMs } = failDeletion(sync(), { ...begun(), hooks }, "b failed");

    const { operation } = decideDeletion(sync(failed), NOW + 10_000);

    expect(retryAfterMs).toBe(5_000);
    expect(operation).toMatchObject({ attempt: 2, hooks: [{ id: "a" }], startedAt: failed.startedAt });
    expect(operation.id).not.toBe(failed.id);
  });

  it("gives up after as many attempts as the Sync says, until a person asks", () => {
    const limit = { retry: { limit: 0 } };
    const { operation: failed, retryAfterMs } = failDeletion(sync(begun(), {}, limit), begun(), "it failed");

    expect([failed.phase, retryAfterMs]).toEqual(["Failed", undefined]);
    expect(decideDeletion(sync(failed), NOW)).toMatchObject({ kind: "give-up" });
    const asked = sync(failed, { "reconcile.fluxcd.io/requestedAt": "now" });
    expect(decideDeletion(asked, NOW)).toMatchObject({ kind: "run", isRetry: true, operation: { attempt: 2 } });
  });
});

describe("skipsDeletionHooks", () => {
  it.each([
    [DELETED_AT, true],
    ["2025-12-31T23:59:59Z", false],
    ["yes", false],
    ["", false],
  ])("takes %j for a word about this deletion: %s", (value, expected) => {
    expect(skipsDeletionHooks(sync(undefined, { [SKIP_DELETION_HOOKS_ANNOTATION]: value }), NOW)).toBe(expected);
  });
});

describe("describeHeldHooks", () => {
  it("says what failed, what became of the objects, and what to do", () => {
    const words = describeHeldHooks(sync(), "PreDelete", { message: "hook it failed", attempt: 3 }, true);

    expect(words).toBe(
      "held: hook it failed; nothing of Sync gitops/apps is deleted, given up after 3 attempts. To try again: " +
        'kubectl annotate sync apps -n gitops --overwrite gitops.flaghoist.io/requestedAt="$(date)". To delete it without ' +
        `its hooks: kubectl annotate sync apps -n gitops --overwrite ${SKIP_DELETION_HOOKS_ANNOTATION}=${DELETED_AT}`,
    );
    expect(describeHeldHooks(sync(), "PostDelete", begun(), false)).toContain("stays, though its objects are deleted");
  });
});

describe("isNeededByHooks", () => {
  const hook: KubeObject = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "bye", namespace: "shop" } };
  const policyFor = (kind: string): KubeObject => ({
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "all", namespace: "shop" },
    spec: { resourceSelectors: [{ apiVersion: "batch/v1", kind }] },
  });

  it.each([
    [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }, true],
    [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } }, false],
    [policyFor("Job"), true],
    [policyFor("CronJob"), false],
    [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bye", namespace: "shop" } }, false],
  ])("of %j: %s", (object, expected) => {
    expect(isNeededByHooks(object, [hook])).toBe(expected);
  });
});
