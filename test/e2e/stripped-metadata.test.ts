// What Argo CD, Flux, Helm and kubectl write on templates to know them again stays on the endpoint; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";
import { at } from "./support/reading.ts";

const NAMESPACE = "marked";
const TRACKING_ID = "argocd.argoproj.io/tracking-id";
const KEEP = "gitops.flaghoist.io/keep-metadata";

const MARKS = {
  [TRACKING_ID]: "web:apps/Deployment:marked/web",
  "argocd.argoproj.io/sync-wave": "1",
  "kubectl.kubernetes.io/last-applied-configuration": "{}",
  "meta.helm.sh/release-name": "web",
};
const LABELS = { "kustomize.toolkit.fluxcd.io/name": "apps", "app.kubernetes.io/managed-by": "Helm" };

describe.each(engines())("tracking metadata, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: { "paris-1": {} } });
    await applyAll(
      plane.client,
      namespaceObject(NAMESPACE, { "kustomize.toolkit.fluxcd.io/name": "apps", team: "shop" }),
      policy({
        namespace: NAMESPACE,
        selectors: [
          { apiVersion: "apps/v1", kind: "Deployment" },
          { apiVersion: "v1", kind: "ConfigMap" },
        ],
      }),
      deployment({ namespace: NAMESPACE, replicas: 1, labels: LABELS, annotations: { ...MARKS, team: "shop" } }),
    );
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  function copy(kind: string, name: string): Promise<unknown> {
    const namespace = kind === "v1 Namespace" ? "" : NAMESPACE;
    return plane.member("paris-1").client.find(ref(kind, namespace, name));
  }

  function keys(object: unknown, map: "labels" | "annotations"): string[] {
    return Object.keys((at(object, "metadata", map) ?? {}) as Record<string, string>);
  }

  it("does not reach a member, and stays on the template", async () => {
    await eventually(async () => expect(at(await copy("apps/v1 Deployment", "web"), "kind")).toBe("Deployment"));

    const web = await copy("apps/v1 Deployment", "web");
    expect(keys(web, "annotations").filter((key) => key in MARKS)).toEqual([]);
    expect(keys(web, "labels").filter((key) => key in LABELS)).toEqual([]);
    expect(at(web, "metadata", "annotations")).toMatchObject({ team: "shop" });
    const managed = at(web, "metadata", "annotations", "resourcetemplate.karmada.io/managed-annotations");
    expect(managed).not.toContain(TRACKING_ID);
    const template = await plane.client.get(ref("apps/v1 Deployment", NAMESPACE, "web"));
    expect(template.metadata).toMatchObject({ annotations: MARKS, labels: LABELS });
  });

  it("is taken off namespaces too", async () => {
    await eventually(async () => {
      const labels = keys(await copy("v1 Namespace", NAMESPACE), "labels");
      expect(labels).toContain("team");
      expect(labels).not.toContain("kustomize.toolkit.fluxcd.io/name");
    });
  });

  it("stays where the template says so, and is removed from the copy once it does not", async () => {
    const settings = configMap(NAMESPACE, "settings");
    await applyAll(plane.client, {
      ...settings,
      metadata: { ...settings.metadata, annotations: { ...MARKS, [KEEP]: "argocd" } },
    });
    await eventually(async () => {
      expect(keys(await copy("v1 ConfigMap", "settings"), "annotations")).toContain(TRACKING_ID);
    });

    await plane.client.patch(
      ref("v1 ConfigMap", NAMESPACE, "settings"),
      { metadata: { annotations: { [KEEP]: null } } },
      "merge",
    );

    await eventually(async () => {
      expect(keys(await copy("v1 ConfigMap", "settings"), "annotations").filter((key) => key in MARKS)).toEqual([]);
    });
  });

  it("is left to a tool of the member that writes its own", async () => {
    const web = ref("apps/v1 Deployment", NAMESPACE, "web");
    const own = { [TRACKING_ID]: "own:apps/Deployment:marked/web" };
    await plane.member("paris-1").client.patch(web, { metadata: { annotations: own } }, "merge", {
      fieldManager: "argocd-controller",
    });

    await plane.client.patch(web, { metadata: { annotations: { team: "sales" } } }, "merge");

    await eventually(async () => {
      expect(at(await copy("apps/v1 Deployment", "web"), "metadata", "annotations")).toMatchObject({
        ...own,
        team: "sales",
      });
    });
  });
});
