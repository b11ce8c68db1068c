import { describe, expect, it } from "vitest";
import type { ResourceBinding, ResourceBindingSpec } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type DependenciesPlan, dependedByLabel, planDependencies } from "./dependencies.ts";

const dependency = { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "key" };
const secret: KubeObject = { apiVersion: "v1", kind: "Secret", metadata: { name: "key", namespace: "shop", uid: "s" } };

function binding(
  name: string,
  spec: Partial<ResourceBindingSpec> = {},
  labels: Record<string, string> = {},
): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name,
      namespace: "shop",
      labels: { "resourcebinding.karmada.io/permanent-id": `id-${name}`, ...labels },
    },
    spec: { resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name }, ...spec },
  };
}

const web = binding("web", {
  propagateDeps: true,
  clusters: [{ name: "a", replicas: 2 }],
  conflictResolution: "Overwrite",
});

function plan(
  referrer: ResourceBinding,
  known: readonly ResourceBinding[],
  objects: readonly KubeObject[] = [secret],
): DependenciesPlan {
  return planDependencies({
    referrer,
    dependencies: objects.length === 0 ? [] : [dependency],
    objects,
    attached: known.filter((other) => dependedByLabel(referrer) in (other.metadata.labels ?? {})),
    bindingOf: (_namespace, name) => known.find((other) => other.metadata.name === name),
  });
}

describe("planDependencies", () => {
  it("makes a binding that follows the clusters of the referrer", () => {
    const { attach, referrer } = plan(web, [web]);

    expect(attach[0]).toMatchObject({
      metadata: {
        name: "key-secret",
        namespace: "shop",
        labels: { [dependedByLabel(web)]: "id-web" },
        ownerReferences: [{ uid: "s" }],
      },
      spec: {
        requiredBy: [{ namespace: "shop", name: "web", clusters: [{ name: "a", replicas: 2 }] }],
        conflictResolution: "Overwrite",
      },
    });
    expect(referrer.metadata.annotations?.["resourcebinding.karmada.io/dependencies"]).toBe(
      '[{"apiVersion":"v1","kind":"Secret","namespace":"shop","name":"key"}]',
    );
    expect(referrer.metadata.finalizers).toEqual(["karmada.io/binding-dependencies-distributor"]);
  });

  it("changes nothing the second time", () => {
    const first = plan(web, [web]);

    const second = plan(first.referrer, [first.referrer, ...first.attach]);

    expect(second.referrer).toBe(first.referrer);
    expect(second.attach).toEqual(first.attach);
    expect(second.detach).toEqual([]);
  });

  it("takes note of the object's version, so that a change of the object is sent along", () => {
    const [attached] = plan(web, [web]).attach;
    const changed = { ...secret, metadata: { ...secret.metadata, resourceVersion: "99" } };

    const { attach } = plan(web, attached === undefined ? [web] : [web, attached], [changed]);

    expect(attach[0]?.spec.resource.resourceVersion).toBe("99");
  });

  it("keeps other referrers, and says when they want different things", () => {
    const api = binding("api", { propagateDeps: true, conflictResolution: "Abort", clusters: [{ name: "b" }] });
    const [byWeb] = plan(web, [web]).attach;

    const { attach, disagreements } = plan(api, [web, api, byWeb as ResourceBinding]);

    expect(attach[0]?.spec.requiredBy?.map(({ name }) => name)).toEqual(["api", "web"]);
    expect(attach[0]?.spec.conflictResolution).toBe("Overwrite");
    expect(disagreements).toEqual(["key-secret"]);
  });

  it("leaves what a policy decided about the same object", () => {
    const own = binding("key-secret", { placement: {}, conflictResolution: "Abort", clusters: [{ name: "z" }] });

    const { attach } = plan(web, [web, own]);

    expect(attach[0]?.spec).toMatchObject({ placement: {}, conflictResolution: "Abort", clusters: [{ name: "z" }] });
  });

  it("keeps the binding of an object that is needed and gone: it goes with the object", () => {
    const [attached] = plan(web, [web]).attach;

    const { attach, detach } = planDependencies({
      referrer: web,
      dependencies: [dependency],
      objects: [],
      attached: [attached as ResourceBinding],
      bindingOf: () => undefined,
    });

    expect({ attach, detach }).toEqual({ attach: [], detach: [] });
  });

  it("names the object with its uid, as the templates' own bindings do", () => {
    expect(plan(web, [web]).attach[0]?.spec.resource).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      namespace: "shop",
      name: "key",
      uid: "s",
    });
  });

  it("lets go of objects that are needed no more, and of all when dependencies are not propagated", () => {
    const [attached] = plan(web, [web]).attach;
    const known = [web, attached as ResourceBinding];

    for (const { detach } of [
      plan(web, known, []),
      plan({ ...web, spec: { ...web.spec, propagateDeps: false } }, known),
    ]) {
      expect(detach[0]?.metadata.labels).not.toHaveProperty(dependedByLabel(web));
      expect(detach[0]?.spec).not.toHaveProperty("requiredBy");
      expect(detach[0]?.spec).not.toHaveProperty("conflictResolution");
    }
  });
});
