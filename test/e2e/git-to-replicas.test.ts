// A push to a Git repository becomes running replicas in three clusters, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { consistently, eventually } from "./support/eventually.ts";
import {
  configMap,
  deployment,
  EVEN_WEIGHTS,
  gitRepository,
  namespaceObject,
  policy,
  sync,
  yamlOf,
} from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import {
  at,
  conditionOf,
  orderedReplicas,
  readBinding,
  readDeployment,
  readRepository,
  readSync,
  targetsOf,
  worksOf,
} from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const withGit = hasGit();
const NS = "shop";

function registryByRegion(registry: string): KubeObject {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name: "registry-by-region", namespace: NS },
    spec: {
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }],
      overrideRules: [
        {
          targetCluster: {
            fieldSelector: { matchExpressions: [{ key: "region", operator: "In", values: ["eu-west"] }] },
          },
          overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value: registry }] },
        },
      ],
    },
  };
}

describe.runIf(withGit).each(engines())("from git to replicas, store: %s", (engine) => {
  let plane: Plane;
  let repository: ServedRepository;

  beforeAll(async () => {
    repository = await serveRepository();
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
  });

  async function image(cluster: string): Promise<unknown> {
    const object = await readDeployment(plane.member(cluster).client, NS);
    return at(object, "spec", "template", "spec", "containers", 0, "image");
  }

  async function untilApplied(commit: string): Promise<void> {
    await eventually(async () => {
      const object = await readSync(plane, NS, "shop");
      expect(conditionOf(object, "Ready")).toMatchObject({
        status: "True",
        message: `Applied revision: main@sha1:${commit}`,
      });
    });
  }

  it("runs what was pushed, divided and customised by the policies", async () => {
    const commit = repository.push("Run the shop in two regions", {
      "apps/web.yaml": yamlOf(namespaceObject(NS), deployment({ namespace: NS, replicas: 6 })),
      "policies/placement.yaml": yamlOf(policy({ namespace: NS, weights: EVEN_WEIGHTS })),
      "policies/overrides.yaml": yamlOf(registryByRegion("registry.eu.example")),
    });
    await applyAll(plane.client, namespaceObject(NS), gitRepository(NS, "shop", repository.url), sync(NS, "shop"));

    await untilApplied(commit);
    await eventually(async () => {
      expect(targetsOf(await readBinding(plane, NS, "web-deployment"))).toEqual({
        "tokyo-1": 2,
        "paris-1": 2,
        "paris-2": 2,
      });
      expect(await orderedReplicas(plane, NS)).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    });
    expect(await image("tokyo-1")).toBe("registry.example/web:1");
    expect(await image("paris-1")).toBe("registry.eu.example/web:1");
    expect(await image("paris-2")).toBe("registry.eu.example/web:1");

    const source = await readRepository(plane, NS, "shop");
    expect(conditionOf(source, "Ready")).toMatchObject({ status: "True", reason: "Succeeded" });
    expect(at(source, "status", "artifact", "revision")).toBe(`main@sha1:${commit}`);
  });

  it("brings the state of the copies back to the template", async () => {
    await eventually(async () => {
      const template = await readDeployment(plane.client, NS);
      expect(at(template, "status")).toMatchObject({
        replicas: 6,
        readyReplicas: 6,
        availableReplicas: 6,
        updatedReplicas: 6,
      });
      expect(at(template, "status", "observedGeneration")).toBe(template.metadata.generation);
    });
    await eventually(async () => {
      const binding = await readBinding(plane, NS, "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "True" });
      expect(conditionOf(binding, "FullyApplied")).toMatchObject({ status: "True" });
      expect(binding.status?.aggregatedStatus?.map((item) => [item.clusterName, item.applied, item.health])).toEqual([
        ["paris-1", true, "Healthy"],
        ["paris-2", true, "Healthy"],
        ["tokyo-1", true, "Healthy"],
      ]);
    });
    const works = await worksOf(plane, NS);
    expect(works.map((work) => work.metadata.namespace).sort()).toEqual([
      "karmada-es-paris-1",
      "karmada-es-paris-2",
      "karmada-es-tokyo-1",
    ]);
    for (const work of works)
      expect(conditionOf(work, "Applied")).toMatchObject({ status: "True", reason: "AppliedSuccessful" });
  });

  it("writes nothing while nothing changes", async () => {
    await settled();
    const before = await versions();

    // Several fetches and several probes of every cluster go by.
    await consistently(async () => {}, { forMs: 1_500 });

    expect(await versions()).toEqual(before);
  });

  it("moves only what a new weight moves", async () => {
    const before = await memberVersions();
    const commit = repository.push("Give Tokyo more", {
      "policies/placement.yaml": yamlOf(policy({ namespace: NS, weights: { "tokyo-1": 2, "paris-1": 1 } })),
    });

    await untilApplied(commit);
    await eventually(async () => expect(await orderedReplicas(plane, NS)).toEqual({ "tokyo-1": 4, "paris-1": 2 }));

    const after = await memberVersions();
    expect(after["paris-1"]).toBe(before["paris-1"]);
    expect(after["tokyo-1"]).not.toBe(before["tokyo-1"]);
    await eventually(async () => expect(await worksOf(plane, NS)).toHaveLength(2));
  });

  it("changes one override in the clusters that it aims at", async () => {
    await settled();
    const before = await memberVersions();
    const commit = repository.push("Move the registry", {
      "policies/overrides.yaml": yamlOf(registryByRegion("registry2.eu.example")),
    });

    await untilApplied(commit);
    await eventually(async () => expect(await image("paris-1")).toBe("registry2.eu.example/web:1"));

    expect((await memberVersions())["tokyo-1"]).toBe(before["tokyo-1"]);
  });

  it("removes from the members what is removed from the repository", async () => {
    const added = repository.push("Add settings", {
      "apps/settings.yaml": yamlOf(
        configMap(NS, "settings"),
        policy({ namespace: NS, name: "settings", selectors: [{ apiVersion: "v1", kind: "ConfigMap" }] }),
      ),
    });
    await untilApplied(added);
    const settings = ref("v1 ConfigMap", NS, "settings");
    await eventually(async () => {
      for (const member of plane.members) expect(await member.client.find(settings)).toBeDefined();
    });

    const removed = repository.push("Drop settings", {
      "apps/settings.yaml": yamlOf(
        policy({ namespace: NS, name: "settings", selectors: [{ apiVersion: "v1", kind: "ConfigMap" }] }),
      ),
    });
    await untilApplied(removed);

    await eventually(async () => {
      expect(await plane.client.find(settings)).toBeUndefined();
      for (const member of plane.members) expect(await member.client.find(settings)).toBeUndefined();
    });
    expect(await orderedReplicas(plane, NS)).toEqual({ "tokyo-1": 4, "paris-1": 2 });
  });

  /** Waits until statuses have come to rest: the last write of the store was a while ago. */
  async function settled(): Promise<void> {
    let last = "";
    let since = Date.now();
    await eventually(async () => {
      const now = JSON.stringify(await versions());
      if (now !== last) since = Date.now();
      last = now;
      return Date.now() - since > 500;
    });
  }

  /** Versions of every object of ours in the store, so that a single write shows. */
  async function versions(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const kind of [
      "v1 Namespace",
      "v1 Event",
      "apps/v1 Deployment",
      "policy.karmada.io/v1alpha1 PropagationPolicy",
      "policy.karmada.io/v1alpha1 OverridePolicy",
      "work.karmada.io/v1alpha2 ResourceBinding",
      "work.karmada.io/v1alpha1 Work",
      "cluster.karmada.io/v1alpha1 Cluster",
      "gitops.flaghoist.io/v1alpha1 GitRepository",
      "gitops.flaghoist.io/v1alpha1 Sync",
    ]) {
      const [apiVersion = "", name = ""] = kind.split(" ");
      for (const { metadata } of (await plane.client.list(apiVersion, name)).items)
        found[`${name} ${metadata.namespace}/${metadata.name}`] = metadata.resourceVersion ?? "";
    }
    return found;
  }

  /** Generation of the Deployment in each member: rises with each change of its spec. */
  async function memberVersions(): Promise<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    for (const member of plane.members) {
      const object = await member.client.find(ref("apps/v1 Deployment", NS, "web"));
      found[member.name] = object === undefined ? undefined : `${object.metadata.uid}/${object.metadata.generation}`;
    }
    return found;
  }
});
