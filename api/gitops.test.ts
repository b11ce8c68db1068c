import { describe, expect, it } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import { type GitRepository, gitRepositorySchema, reconcileRequest, type Sync, syncSchema } from "./gitops.ts";

const repository: GitRepository = {
  apiVersion: "gitops.flaghoist.io/v1alpha1",
  kind: "GitRepository",
  metadata: { name: "shop", namespace: "shop" },
  spec: { url: "https://git.example/shop.git", interval: "30s", schedule: "0 6 * * *", timeZone: "Europe/Paris" },
};
const sync: Sync = {
  apiVersion: "gitops.flaghoist.io/v1alpha1",
  kind: "Sync",
  metadata: { name: "apps", namespace: "shop" },
  spec: { sourceRef: { kind: "GitRepository", name: "shop" }, path: "apps", dependsOn: [{ name: "base" }] },
};

describe("the kinds of gitops.flaghoist.io", () => {
  it("need no more than an address and a source", () => {
    const objects: readonly KubeObject[] = [repository, sync];

    expect(objects).toHaveLength(2);
    expect(gitRepositorySchema.safeParse(repository).success).toBe(true);
    expect(syncSchema.safeParse(sync).success).toBe(true);
  });

  it.each(["30", "5 m", "1d", "", "-1s"])("refuse %j as an interval", (interval) => {
    expect(gitRepositorySchema.safeParse({ ...repository, spec: { url: "https://x", interval } }).success).toBe(false);
  });
});

describe("reconcileRequest", () => {
  it("hears both annotations", () => {
    expect(reconcileRequest({ metadata: {} })).toBeUndefined();
    expect(reconcileRequest({ metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": "1" } } })).toBe("1");
    expect(
      reconcileRequest({
        metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": "1", "gitops.flaghoist.io/requestedAt": "2" } },
      }),
    ).toBe("2 1");
  });
});
