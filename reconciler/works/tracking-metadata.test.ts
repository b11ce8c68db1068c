import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import {
  DEFAULT_METADATA_STRIPPING,
  type MetadataStripping,
  metadataStrippingOf,
  readMetadataStripping,
  trackingKeys,
  withoutTrackingKeys,
} from "./tracking-metadata.ts";

const HELM = { "app.kubernetes.io/managed-by": "Helm" };
const INSTANCE = { "app.kubernetes.io/instance": "web" };
const TRACKED = { "argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web" };

interface Metadata {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

function template({ labels, annotations }: Metadata, kind = "Deployment", rest: object = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: {
      name: "web",
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...rest,
  };
}

function strip(object: KubeObject, stripping: MetadataStripping = DEFAULT_METADATA_STRIPPING): Metadata {
  const { labels = {}, annotations = {} } = withoutTrackingKeys(
    object,
    object,
    trackingKeys(object, stripping),
  ).metadata;
  return { labels, annotations };
}

describe("trackingKeys", () => {
  it.each([
    "kubectl.kubernetes.io/last-applied-configuration",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/sync-wave",
    "argocd.argoproj.io/hook",
    "argocd.argoproj.io/sync-options",
    "argocd.argoproj.io/compare-options",
    "kustomize.toolkit.fluxcd.io/prune",
    "kustomize.toolkit.fluxcd.io/reconcile",
    "kustomize.toolkit.fluxcd.io/checksum",
    "helm.toolkit.fluxcd.io/driftDetection",
    "config.kubernetes.io/origin",
    "internal.config.kubernetes.io/index",
  ])("holds the annotation %s", (key) => {
    expect(strip(template({ annotations: { [key]: "x", team: "shop" } })).annotations).toEqual({ team: "shop" });
  });

  it.each([
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
    "helm.toolkit.fluxcd.io/name",
    "argocd.argoproj.io/instance",
  ])("holds the label %s", (key) => {
    expect(strip(template({ labels: { [key]: "x", app: "web" } })).labels).toEqual({ app: "web" });
  });

  it.each([
    "kubectl.kubernetes.io/default-container",
    "reconcile.fluxcd.io/requestedAt",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/manifest-generate-paths",
    "kubernetes.io/change-cause",
  ])("leaves the annotation %s, which means something in a member", (key) => {
    expect(strip(template({ annotations: { [key]: "x" } })).annotations).toEqual({ [key]: "x" });
  });

  it("leaves labels by which a member's Argo CD reads its own settings", () => {
    const labels = { "argocd.argoproj.io/secret-type": "cluster" };
    expect(strip(template({ labels }, "Secret")).labels).toEqual(labels);
  });

  it("takes the label of Helm, and leaves the same label of anybody else", () => {
    expect(strip(template({ labels: HELM })).labels).toEqual({});
    expect(strip(template({ labels: { "app.kubernetes.io/managed-by": "team-a" } })).labels).toEqual({
      "app.kubernetes.io/managed-by": "team-a",
    });
  });

  it("does not look into pod templates", () => {
    const object = template({ labels: HELM }, "Deployment", {
      spec: { template: { metadata: { labels: HELM, annotations: { "argocd.argoproj.io/sync-wave": "1" } } } },
    });

    const copy = withoutTrackingKeys(object, object, trackingKeys(object, DEFAULT_METADATA_STRIPPING));

    expect(copy["spec"]).toBe(object["spec"]);
  });

  it.each([
    ["a Deployment's", { spec: { selector: { matchLabels: HELM } } }],
    ["a Service's", { spec: { selector: HELM } }],
    [
      "an expression",
      { spec: { selector: { matchExpressions: [{ key: Object.keys(HELM)[0], operator: "Exists" }] } } },
    ],
    ["a spread constraint's", { spec: { topologySpreadConstraints: [{ labelSelector: { matchLabels: HELM } }] } }],
    ["one written as text", { spec: { labelSelector: "app.kubernetes.io/managed-by in (Helm)" } }],
  ])("leaves a label that a selector of the object names: %s", (_name, content) => {
    expect(strip(template({ labels: HELM }, "Anything", content)).labels).toEqual(HELM);
  });

  it("survives labels and annotations that are null", () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels: null, annotations: null } };
    // Null is what some clients send for nothing.
    expect(trackingKeys(object as unknown as KubeObject, DEFAULT_METADATA_STRIPPING)).toEqual({
      labels: [],
      annotations: [],
    });
  });
});

describe("trackingKeys, of app.kubernetes.io/instance", () => {
  it("holds it where it is the name of the Argo CD application that tracks the object", () => {
    expect(strip(template({ labels: INSTANCE, annotations: TRACKED }))).toEqual({ labels: {}, annotations: {} });
  });

  it.each<[string, KubeObject]>([
    ["no application tracks the object", template({ labels: INSTANCE })],
    [
      "another application does",
      template({
        labels: INSTANCE,
        annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web" },
      }),
    ],
    [
      "a chart wrote it, with others of the recommended set",
      template({ labels: { ...INSTANCE, "app.kubernetes.io/name": "web" }, annotations: TRACKED }),
    ],
    [
      "pods carry it",
      template({ labels: INSTANCE, annotations: TRACKED }, "Deployment", {
        spec: { template: { metadata: { labels: INSTANCE } } },
      }),
    ],
    [
      "a selector names it",
      template({ labels: INSTANCE, annotations: TRACKED }, "Deployment", {
        spec: { selector: { matchLabels: INSTANCE } },
      }),
    ],
    ["others choose the kind by label", template({ labels: INSTANCE, annotations: TRACKED }, "Service")],
  ])("leaves it where %s", (_why, object) => {
    expect(strip(object).labels).toMatchObject(INSTANCE);
  });
});

describe("withoutTrackingKeys", () => {
  it("leaves what an override policy added or changed", () => {
    const own = template({ annotations: { "argocd.argoproj.io/sync-wave": "1", "argocd.argoproj.io/hook": "Sync" } });
    const overridden = template({
      annotations: {
        "argocd.argoproj.io/sync-wave": "5",
        "argocd.argoproj.io/hook": "Sync",
        "meta.helm.sh/release-name": "x",
      },
    });

    const copy = withoutTrackingKeys(overridden, own, trackingKeys(own, DEFAULT_METADATA_STRIPPING));

    expect(copy.metadata.annotations).toEqual({
      "argocd.argoproj.io/sync-wave": "5",
      "meta.helm.sh/release-name": "x",
    });
  });
});

describe("the annotation keep-metadata", () => {
  const marks = { "argocd.argoproj.io/sync-wave": "1", "meta.helm.sh/release-name": "web" };

  it.each([
    ["*", ["argocd.argoproj.io/sync-wave", "meta.helm.sh/release-name"]],
    ["argocd", ["argocd.argoproj.io/sync-wave"]],
    ["example.com/a, meta.helm.sh/*", ["meta.helm.sh/release-name"]],
    ["", []],
  ])("%j keeps %j", (text, kept) => {
    const { annotations } = strip(template({ annotations: { ...marks, "gitops.flaghoist.io/keep-metadata": text } }));
    expect(Object.keys(annotations ?? {}).filter((key) => key in marks)).toEqual(kept);
  });
});

describe("readMetadataStripping", () => {
  it("takes tools, further keys, all of it, or nothing", () => {
    const object = template({
      labels: { "example.com/owner": "a", "kustomize.toolkit.fluxcd.io/name": "apps" },
      annotations: { "argocd.argoproj.io/sync-wave": "1" },
    });
    const left = (...words: string[]): string[] => {
      const { labels, annotations } = strip(object, readMetadataStripping(words));
      return [...Object.keys(labels ?? {}), ...Object.keys(annotations ?? {})];
    };

    expect(left("off")).toEqual([
      "example.com/owner",
      "kustomize.toolkit.fluxcd.io/name",
      "argocd.argoproj.io/sync-wave",
    ]);
    expect(left("flux")).toEqual(["example.com/owner", "argocd.argoproj.io/sync-wave"]);
    expect(left("default")).toEqual(["example.com/owner"]);
    expect(left("default", "example.com/*")).toEqual([]);
  });

  it.each(["argo", "", "owner", "exa mple.com/*"])("does not take %j", (word) => {
    expect(() => readMetadataStripping([word])).toThrow(/neither a tool/);
  });
});

describe("metadataStrippingOf", () => {
  it("leaves everything with compatibility karmada, unless told otherwise", () => {
    const object = template({ annotations: TRACKED });
    const left = (compatibility: "karmada" | "flaghoist", strippedMetadata?: string[]): Metadata =>
      strip(object, metadataStrippingOf({ compatibility, strippedMetadata }));

    expect(left("karmada").annotations).toEqual(TRACKED);
    expect(left("flaghoist").annotations).toEqual({});
    expect(left("flaghoist", ["off"]).annotations).toEqual(TRACKED);
    expect(left("karmada", ["argocd"]).annotations).toEqual({});
  });
});
