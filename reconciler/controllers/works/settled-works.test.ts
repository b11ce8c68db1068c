import { describe, expect, it } from "vitest";
import type { Work } from "../../../api/work.ts";
import type { Member } from "../../../fleets/member.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { SettledWorks } from "./settled-works.ts";

const MANIFEST: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "shop" } };

function workAt(resourceVersion: string, generation = 1): Work {
  return {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name: "settings", namespace: "karmada-es-paris", uid: "w", resourceVersion, generation },
    spec: { workload: { manifests: [MANIFEST as unknown as Record<string, unknown>] } },
  };
}

/** A member whose copy is at the version that `copy` holds; undefined: it was not seen. */
function memberWith(copy: { version: string | undefined }): Member {
  const cached = (): KubeObject | undefined =>
    copy.version === undefined
      ? undefined
      : { ...MANIFEST, metadata: { ...MANIFEST.metadata, uid: "c", resourceVersion: copy.version } };
  // All that is asked of a member here.
  return { cached } as unknown as Member;
}

function settled(copy: { version: string | undefined }) {
  const works = new SettledWorks();
  const member = memberWith(copy);
  return { works, member, settle: works.begin(workAt("1"), member, 1) };
}

describe("SettledWorks", () => {
  it("has a Work as long as it, its copy and the rules are as they were", () => {
    const { works, member, settle } = settled({ version: "7" });
    expect(works.has(workAt("1"), member, 1)).toBe(false);

    settle(workAt("2"));

    expect(works.has(workAt("2"), member, 1)).toBe(true);
    expect(works.has(workAt("3"), member, 1)).toBe(false);
    expect(works.has(workAt("2"), member, 2)).toBe(false);
    expect(works.has(workAt("2"), memberWith({ version: "7" }), 1)).toBe(false);
  });

  it("looks again at a copy that has changed, also while the step was at work", () => {
    const copy: { version: string | undefined } = { version: "7" };
    const { works, member, settle } = settled(copy);
    copy.version = "8";

    settle(workAt("1"));

    expect(works.has(workAt("1"), member, 1)).toBe(false);
  });

  it("never takes a copy for settled that was not seen", () => {
    const { works, member, settle } = settled({ version: undefined });

    settle(workAt("1"));

    expect(works.has(workAt("1"), member, 1)).toBe(false);
  });

  it("looks again at a Work that was changed while the step was at work", () => {
    const { works, member, settle } = settled({ version: "7" });

    settle(workAt("2", 2));

    expect(works.has(workAt("2", 2), member, 1)).toBe(false);
  });

  it("forgets what is gone", () => {
    const { works, member, settle } = settled({ version: "7" });
    settle(workAt("1"));

    works.forget(workAt("1"));

    expect(works.has(workAt("1"), member, 1)).toBe(false);
  });
});
