import { describe, expect, it } from "vitest";
import type { KubeObject, OwnerReference } from "../../../../kube/object.ts";
import { areOwnersRight, hasStaleOwner, withRightOwners } from "./claim-retention.ts";

function setWith(whenDeleted: string, whenScaled: string): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", uid: "set" },
    spec: { replicas: 1, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
  };
}

function pod(ordinal: number): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: `db-${ordinal}`, uid: `pod-${ordinal}` } };
}

function claim(...ownerReferences: OwnerReference[]): KubeObject {
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data-db-0", ownerReferences } };
}

function owner(kind: string, name: string, uid: string, controller = true): OwnerReference {
  return { apiVersion: kind === "StatefulSet" ? "apps/v1" : "v1", kind, name, uid, controller };
}

describe("owners of a StatefulSet's claims", () => {
  it.each([
    ["Retain", "Retain", 0, []],
    ["Retain", "Retain", 1, []],
    ["Delete", "Retain", 0, ["set"]],
    ["Delete", "Retain", 1, ["set"]],
    ["Retain", "Delete", 0, []],
    ["Retain", "Delete", 1, ["pod-1"]],
    ["Delete", "Delete", 0, ["set"]],
    ["Delete", "Delete", 1, ["pod-1"]],
  ])("whenDeleted %s, whenScaled %s, ordinal %i of one replica: %o", (whenDeleted, whenScaled, ordinal, owners) => {
    const set = setWith(whenDeleted, whenScaled);
    const other: OwnerReference = { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "other" };
    const before = claim(other);

    const after = withRightOwners(before, set, pod(ordinal));

    expect(after.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual(["other", ...owners]);
    expect(areOwnersRight(before, set, pod(ordinal))).toBe(owners.length === 0);
    expect(areOwnersRight(after, set, pod(ordinal))).toBe(true);
  });

  it("are left alone where another set of the name owned the claim", () => {
    const stale = claim(owner("StatefulSet", "db", "earlier"));

    expect(hasStaleOwner(stale, setWith("Delete", "Retain"))).toBe(true);
    expect(areOwnersRight(stale, setWith("Delete", "Retain"), pod(0))).toBe(true);
  });

  it("are taken away where somebody else controls the claim", () => {
    const set = setWith("Delete", "Retain");
    const shared = claim(owner("Database", "main", "main"), owner("StatefulSet", "db", "set"));

    expect(areOwnersRight(shared, set, pod(0))).toBe(false);
    expect(withRightOwners(shared, set, pod(0)).metadata.ownerReferences?.map(({ uid }) => uid)).toEqual(["main"]);
  });

  it("must control the claim", () => {
    const set = setWith("Delete", "Retain");

    expect(areOwnersRight(claim(owner("StatefulSet", "db", "set", false)), set, pod(0))).toBe(false);
  });
});
