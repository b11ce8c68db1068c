import { describe, expect, it } from "vitest";
import {
  ARGO_DELETION_APPROVED_ANNOTATION as APPROVED,
  DELETION_ASKED_ANNOTATION as ASKED,
  CONFIRM_DELETIONS_ANNOTATION as CONFIRM,
  SKIP_DELETION_HOOKS_ANNOTATION as SKIP,
  type Sync,
} from "../../../api/gitops.ts";
import { configMap } from "../../../test/builders.ts";
import { describeHeldHooks, skipsDeletionHooks } from "./deletion-operation.ts";
import { isDeletionConfirmed, laterAskedAt, whyDeletionHeld } from "./sync-deletion.ts";
import { ownObject } from "./sync-removals.ts";

const DELETED_AT = "2026-01-01T12:00:00Z";
const NOW = Date.parse(DELETED_AT) + 2_000;
const HOUR_MS = 3_600_000;
const EARLIER_WORD = "2026-01-01T12:45:00Z";

function deleted(annotations: Record<string, string> = {}): Sync {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: "apps", namespace: "gitops", uid: "0123456789", deletionTimestamp: DELETED_AT, annotations },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" } },
  };
}

describe("isDeletionConfirmed", () => {
  it.each([CONFIRM, APPROVED])("is so by %s of the time of the deletion, or a later one", (key) => {
    expect(isDeletionConfirmed(deleted({ [key]: DELETED_AT }), NOW)).toBe(true);
    expect(isDeletionConfirmed(deleted({ [key]: "2026-01-01T12:10:00Z" }), NOW)).toBe(true);
    for (const word of ["2026-01-01T11:59:59Z", "yes", "", "9999-12-31T23:59:59Z"])
      expect(isDeletionConfirmed(deleted({ [key]: word }), NOW)).toBe(false);
  });

  it.each([CONFIRM, APPROVED, SKIP])("is not so by a word in %s from before the clocks jumped back", (key) => {
    const askedAt = laterAskedAt(deleted({ [key]: EARLIER_WORD }), NOW);
    expect(askedAt).toBe("2026-01-01T12:45:01Z");
    const held = deleted({ [key]: EARLIER_WORD, [ASKED]: askedAt ?? "" });

    for (const later of [0, HOUR_MS]) {
      expect(isDeletionConfirmed(held, NOW + later)).toBe(false);
      expect(skipsDeletionHooks(held, NOW + later)).toBe(false);
    }
    expect(whyDeletionHeld(held, [ownObject(configMap("data"))], NOW)).toMatch(/=2026-01-01T12:45:01Z$/);
    expect(describeHeldHooks(held, "PreDelete", { message: "it failed", attempt: 1 }, true)).toMatch(
      /=2026-01-01T12:45:01Z$/,
    );
    expect(isDeletionConfirmed(deleted({ [CONFIRM]: askedAt ?? "", [ASKED]: askedAt ?? "" }), NOW)).toBe(true);
  });
});

describe("laterAskedAt", () => {
  it("is nothing where the time of the deletion tells words on it from others", () => {
    expect(laterAskedAt(deleted(), NOW)).toBeUndefined();
    expect(laterAskedAt(deleted({ [CONFIRM]: "2025-12-31T00:00:00Z", [SKIP]: "yes" }), NOW)).toBeUndefined();
    expect(laterAskedAt(deleted({ [APPROVED]: "2026-01-01T12:00:01Z" }), NOW)).toBeUndefined();
  });

  it("takes the time of the deletion for one, though that of the store is ahead of ours", () => {
    expect(laterAskedAt(deleted({ [CONFIRM]: DELETED_AT }), NOW - HOUR_MS)).toBeUndefined();
  });

  it("is decided once, so that the answer to it stays one", () => {
    const answered = deleted({ [CONFIRM]: "2026-01-01T12:45:01Z", [ASKED]: "2026-01-01T12:45:01Z" });
    expect(laterAskedAt(answered, NOW)).toBeUndefined();
  });
});
