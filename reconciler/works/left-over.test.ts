import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { configMap } from "../../test/builders.ts";
import { leftOverCondition, leftOverOf, mayBeRemoved, workNameOfCopy } from "./left-over.ts";

const NOW = Date.parse("2026-02-03T04:05:06.789Z");

function copy(changes: Partial<KubeObject["metadata"]> = {}): KubeObject {
  const made = configMap("settings");
  return {
    ...made,
    metadata: {
      ...made.metadata,
      uid: "u1",
      labels: { "karmada.io/managed": "true", "work.karmada.io/permanent-id": "id" },
      annotations: { "work.karmada.io/namespace": "karmada-es-paris-1", "work.karmada.io/name": "settings-1" },
      managedFields: [{ manager: "flaghoist", operation: "Apply", apiVersion: "v1" }],
      ...changes,
    },
  };
}

describe("workNameOfCopy", () => {
  it("is what the copy says when we made it for that cluster", () => {
    expect(workNameOfCopy(copy(), "paris-1", "flaghoist")).toBe("settings-1");
  });

  it.each<[string, Partial<KubeObject["metadata"]>]>([
    ["has not our label", { labels: { "work.karmada.io/permanent-id": "id" } }],
    ["has no id of a Work", { labels: { "karmada.io/managed": "true" } }],
    ["was made for another cluster", { annotations: { "work.karmada.io/namespace": "karmada-es-tokyo-1" } }],
    ["names no Work", { annotations: { "work.karmada.io/namespace": "karmada-es-paris-1" } }],
    ["was made by Karmada", { managedFields: [{ manager: "karmada-controller-manager", operation: "Update" }] }],
    [
      "was made with its labels by a controller",
      { ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid: "u2", controller: true }] },
    ],
  ])("is undefined when the object %s", (_what, changes) => {
    expect(workNameOfCopy(copy(changes), "paris-1", "flaghoist")).toBeUndefined();
  });
});

describe("mayBeRemoved", () => {
  const found = leftOverOf(copy(), "settings-1", NOW, undefined);

  it("is so by a word that is not older than what was found", () => {
    expect(mayBeRemoved(found, "2026-02-03T04:05:06Z", NOW)).toBe(true);
    expect(mayBeRemoved(found, "2026-02-03T04:05:05Z", NOW)).toBe(false);
  });

  it("is not so without a word, or by one that says no time", () => {
    expect(mayBeRemoved(found, undefined, NOW)).toBe(false);
    expect(mayBeRemoved(found, "yes please", NOW)).toBe(false);
  });

  it("is not so by a word on what was found before, although the clock has jumped back since", () => {
    const word = "2026-02-03T04:30:00Z";
    const next = leftOverOf(copy(), "settings-1", NOW, word);

    for (const later of [0, 3_600_000]) expect(mayBeRemoved(next, word, NOW + later)).toBe(false);
    const { message } = leftOverCondition("paris-1", [next], NOW);
    expect(message).toMatch(/=2026-02-03T04:30:01Z$/);
    expect(mayBeRemoved(next, "2026-02-03T04:30:01Z", NOW)).toBe(true);
  });
});

describe("leftOverCondition", () => {
  it("names some, and says how to keep and how to remove them", () => {
    const found = Array.from({ length: 5 }, (_, index) => {
      const one = copy({ name: `c-${index}` });
      return leftOverOf(one, `c-${index}`, NOW + index * 1_000, undefined);
    });

    expect(leftOverCondition("paris-1", found, NOW + 60_000)).toEqual({
      type: "LeftOver",
      status: "True",
      reason: "NoWork",
      message:
        "5 objects are left over: put into cluster paris-1 by this control plane, but without a Work now, as after a restored backup: " +
        "v1 ConfigMap shop/c-0, v1 ConfigMap shop/c-1, v1 ConfigMap shop/c-2 and 2 more. They stay as they are. " +
        "To keep them: apply the template again, or take label karmada.io/managed away in the cluster. " +
        "To remove them: kubectl annotate cluster paris-1 --overwrite gitops.flaghoist.io/remove-left-over=2026-02-03T04:05:10Z",
      lastTransitionTime: "2026-02-03T04:05:06Z",
    });
  });

  it("is False when there are none", () => {
    expect(leftOverCondition("paris-1", [], NOW)).toMatchObject({ status: "False", reason: "NothingLeftOver" });
  });
});
