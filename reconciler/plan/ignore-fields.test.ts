import { describe, expect, it } from "vitest";
import { ignoreRule, withIgnoreRule } from "./ignore-fields.ts";

const SYNC = { namespace: "shop", name: "apps" };
const TEXT = `# what the shop runs
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: gitops.flaghoist.io/v1alpha1
kind: Sync
metadata:
  name: apps   # all of them
spec:
  sourceRef:
    kind: GitRepository
    name: shop
`;
const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

describe("withIgnoreRule", () => {
  const rule = ignoreRule(WEB, ["/spec/replicas"]);

  it("adds the rule to the Sync and leaves the rest as its author wrote it", () => {
    const text = withIgnoreRule(TEXT, SYNC, rule) ?? "";

    expect(text.startsWith(TEXT.trimEnd())).toBe(true);
    expect(text).toContain("ignoreDifferences:");
    expect(text).toContain("/spec/replicas");
  });

  it("adds fields to a rule about the same object, once", () => {
    const once = withIgnoreRule(TEXT, SYNC, rule) ?? "";
    const twice = withIgnoreRule(once, SYNC, ignoreRule(WEB, ["/spec/replicas", "/spec/paused"])) ?? "";

    expect(twice.match(/kind: Deployment/g)).toHaveLength(1);
    expect(twice.match(/\/spec\/replicas/g)).toHaveLength(1);
    expect(twice).toContain("/spec/paused");
    expect(withIgnoreRule(twice, SYNC, rule)).toBe(twice);
  });

  it("adds a rule beside those about other objects", () => {
    const once = withIgnoreRule(TEXT, SYNC, rule) ?? "";
    const twice = withIgnoreRule(once, SYNC, ignoreRule({ ...WEB, name: "cart" }, ["/spec/replicas"])) ?? "";

    expect(twice.match(/kind: Deployment/g)).toHaveLength(2);
  });

  it.each([
    "",
    "{",
    "kind: Sync",
    TEXT.replace("apps ", "other "),
    TEXT.replace("name: apps", "namespace: x\n  name: apps"),
  ])("finds no other Sync, and survives garbage", (text) => {
    expect(withIgnoreRule(text, SYNC, rule)).toBeUndefined();
  });
});
