// Changes that reach the clusters in waves, by a whole control plane on the clock of simulated members.
import { describe, expect, it } from "vitest";
import type { Work } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { ABORT_ANNOTATION, PAUSED_ANNOTATION, RETRY_ANNOTATION } from "../../reconciler/rollout/revision.ts";
import { configMap, overridePolicy, policy } from "../builders.ts";
import { all, BAD, BETTER, CANARY, GOOD, Rolling, web, withoutUid } from "./support/rolling.ts";

describe("a staged rollout", () => {
  it("brings a change to one wave after the other, each once the one before was healthy for long enough", async () => {
    const rolling = await Rolling.start();
    expect(rolling.images).toEqual(all(GOOD));
    expect(await rolling.condition()).toMatch(/^True RolloutComplete: revision \w+ is everywhere/);

    await rolling.push(web(BETTER));
    await rolling.advance(20);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
    expect(await rolling.condition()).toMatch(
      /^False RolloutProgressing: .*wave canary \(1 of 3\): 0 of 3 clusters done/,
    );
    await rolling.advance(40);
    expect(rolling.images).toEqual({ ...all(BETTER), member3: GOOD });
    await rolling.advance(100);

    expect(rolling.images).toEqual(all(BETTER));
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("stops a bad image in the first wave, and goes back by itself to what was healthy", async () => {
    const rolling = await Rolling.start(CANARY, "full");

    await rolling.push(web(BAD));
    await rolling.advance(60);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BAD });
    await rolling.advance(120);

    expect(rolling.images).toEqual(all(GOOD));
    expect(await rolling.condition()).toMatch(
      /^False ReturnedToLastHealthy: revision \w+ failed in member1 \(not healthy within 2m: .*\): every cluster is back at revision \w+, the last healthy one; push a change, or try again: flaghoist rollout retry deployment\/web -n default$/,
    );
    await rolling.advance(3_600);
    expect(rolling.images).toEqual(all(GOOD));
    await rolling.push(web(BETTER));
    await rolling.advance(300);
    expect(rolling.images).toEqual(all(BETTER));
  });

  it("follows replicas at once, in the middle of a rollout, with whatever revision a cluster has", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(10);

    await rolling.push(web(BETTER, 3));
    await rolling.advance(1);

    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
    expect(rolling.replicas).toEqual({ member1: 3, member2: 3, member3: 3 });
  });

  it("gives a cluster that joins in the middle the last healthy revision at once", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(10);

    await rolling.place(CANARY, ["member1", "member2", "member3", "member4"]);
    await rolling.advance(5);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER, member4: GOOD });
    await rolling.advance(300);

    expect(rolling.images).toEqual({ ...all(BETTER), member4: BETTER });
  });

  it("goes on after a crash at any write, to the same end", async () => {
    for (const writes of [1, 3]) {
      const rolling = await Rolling.start();
      rolling.plane.instances[0]?.crashAfter(writes);
      await rolling.push(web(BETTER));
      await rolling.advance(5);
      await rolling.plane.start();
      await rolling.advance(15);
      expect(rolling.images, `after a crash at write ${writes}`).toEqual({ ...all(GOOD), member1: BETTER });
      rolling.plane.instances[0]?.crash();
      await rolling.advance(40);
      await rolling.plane.start();
      await rolling.advance(150);

      expect(rolling.images, `after a crash at write ${writes}`).toEqual(all(BETTER));
    }
  }, 60_000);

  it("keeps the old revision free of drift where the new one has not come", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(10);

    const member = rolling.fleet.cluster("member3");
    await member.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" },
      { spec: { template: { spec: { containers: [{ name: "web", image: "example/other:9" }] } } } },
      "strategic",
    );
    await rolling.advance(5);

    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
  });

  it("is paused, resumed, aborted and tried again by annotations of the template", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.annotate(PAUSED_ANNOTATION, "true");
    await rolling.advance(1_000);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
    expect(await rolling.condition()).toMatch(
      /^False RolloutPaused: paused: .*flaghoist rollout resume deployment\/web/,
    );

    const [newest] = [...(await rolling.revisions())].sort((a, b) => Number(b["revision"]) - Number(a["revision"]));
    const revision = newest?.metadata.annotations?.["gitops.flaghoist.io/revision"] ?? "";
    await rolling.annotate(ABORT_ANNOTATION, revision);
    await rolling.annotate(PAUSED_ANNOTATION, null);
    await rolling.advance(60);
    expect(rolling.images).toEqual(all(GOOD));

    await rolling.annotate(ABORT_ANNOTATION, null);
    await rolling.annotate(RETRY_ANNOTATION, "1");
    await rolling.advance(300);
    expect(rolling.images).toEqual(all(BETTER));
    for (const object of Object.values(rolling.clusters))
      expect(Object.keys(object.metadata.annotations ?? {}).filter((key) => key.includes("/rollout"))).toEqual([]);
  });

  it("passes over a cluster that is away, which gets the revision when it is back", async () => {
    const rolling = await Rolling.start();
    const fault = rolling.fleet.faults.begin({ type: "down", target: { clusters: ["member1"] } });
    await rolling.advance(120);
    await rolling.push(web(BETTER));
    await rolling.advance(20);
    expect(rolling.images).toEqual(all(GOOD));

    await rolling.advance(400);
    expect(rolling.images).toEqual({ ...all(BETTER), member1: GOOD });
    expect(await rolling.condition()).toMatch(/^True RolloutComplete: .*member1 not ready: to follow when back/);
    rolling.fleet.faults.end(fault);
    await rolling.advance(120);
    expect(rolling.images).toEqual(all(BETTER));
  });

  it("rolls a change of overrides out in the same way, and touches nobody whom it does not concern", async () => {
    const rolling = await Rolling.start();
    const value = "example/web:overridden";
    const override = withoutUid(
      overridePolicy({
        name: "image",
        namespace: "default",
        rules: [
          {
            targetCluster: { clusterNames: ["member1", "member3"] },
            overriders: { plaintext: [{ path: "/spec/template/spec/containers/0/image", operator: "replace", value }] },
          },
        ],
      }),
    );

    await rolling.push(override);
    await rolling.advance(10);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: value });
    await rolling.advance(200);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: value, member3: value });
    expect(await rolling.condition()).toMatch(/^True/);
  });

  it("returns at once everywhere when Git returns to the last healthy revision", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(60);
    expect(rolling.images).toEqual({ ...all(BETTER), member3: GOOD });

    await rolling.push(web(GOOD));
    await rolling.advance(2);

    expect(rolling.images).toEqual(all(GOOD));
  });

  it("starts nothing when a policy gets a rollout, and lets everything through when it loses it", async () => {
    const rolling = await Rolling.start(null);
    const before = rolling.clusters;
    await rolling.place(CANARY);
    await rolling.advance(60);
    const versions = (objects: Record<string, KubeObject>) =>
      Object.values(objects).map(({ metadata }) => metadata.generation);
    expect(versions(rolling.clusters)).toEqual(versions(before));
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);

    await rolling.push(web(BETTER));
    await rolling.advance(5);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
    await rolling.place(undefined);
    await rolling.advance(5);

    expect(rolling.images).toEqual(all(BETTER));
    expect(await rolling.revisions()).toEqual([]);
    const { items } = await rolling.plane.client.list<Work>("work.karmada.io/v1alpha1", "Work");
    expect(items.filter((work) => work.metadata.annotations?.["gitops.flaghoist.io/revision"] !== undefined)).toEqual(
      [],
    );
  });

  it("takes everything along when the template is deleted", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(10);

    await rolling.plane.client.delete({ apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" });
    await rolling.advance(30);

    expect(rolling.images).toEqual({});
    expect(await rolling.revisions()).toEqual([]);
  });

  it("makes its record anew when somebody spoils it", async () => {
    const rolling = await Rolling.start();
    await rolling.push(web(BETTER));
    await rolling.advance(10);
    await rolling.plane.client.patch(
      { apiVersion: "work.karmada.io/v1alpha2", kind: "ResourceBinding", namespace: "default", name: "web-deployment" },
      { metadata: { annotations: { "gitops.flaghoist.io/rollout": "garbage" } } },
      "merge",
    );
    await rolling.push(web(BETTER, 3));
    await rolling.advance(5);
    expect(rolling.images).toEqual({ ...all(GOOD), member1: BETTER });
    await rolling.advance(300);

    expect(rolling.images).toEqual(all(BETTER));
  });

  it("keeps revisions of a Secret as Secrets, and those of an object in no namespace in karmada-system", async () => {
    const rolling = await Rolling.start();
    const { plane } = rolling;
    const secret = (value: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace: "default" },
      data: { key: Buffer.from(value).toString("base64") },
    });
    const role = (verb: string): KubeObject => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "reader" },
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: [verb] }],
    });
    const placement = { clusterAffinity: { clusterNames: ["member1", "member2"] }, flaghoist: { rollout: CANARY } };
    const secrets = policy({ name: "key", namespace: "default", selects: [{ apiVersion: "v1", kind: "Secret" }] });
    await rolling.push(
      { ...withoutUid(secrets), metadata: { name: "key", namespace: "default" }, spec: { ...secrets.spec, placement } },
      secret("one"),
    );
    await rolling.push(
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        metadata: { name: "reader" },
        spec: {
          resourceSelectors: [{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "reader" }],
          placement,
        },
      },
      role("get"),
    );
    await rolling.advance(200);
    await rolling.push(secret("two"), role("list"));
    await rolling.advance(5);

    const at = (name: string, resource: string, namespace: string, object: string): KubeObject => {
      const found = rolling.fleet.cluster(name).server.state.get({ resource, namespace, name: object })?.object;
      if (found === undefined) throw new Error(`${resource} ${object} is not in ${name}`);
      return found;
    };
    const keyIn = (name: string): unknown => (at(name, "secrets", "default", "key")["data"] as { key: string }).key;
    expect([keyIn("member1"), keyIn("member2")]).toEqual(["dHdv", "b25l"]);
    const rulesIn = (name: string): unknown =>
      at(name, "rbac.authorization.k8s.io/clusterroles", "", "reader")["rules"];
    expect([rulesIn("member1"), rulesIn("member2")]).toEqual([role("list")["rules"], role("get")["rules"]]);

    const kept = await plane.client.list("apps/v1", "ControllerRevision");
    expect(JSON.stringify(kept.items)).not.toMatch(/dHdv|b25l/);
    const system = kept.items.filter(({ metadata }) => metadata.namespace === "karmada-system");
    expect(system.map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual([
      "reader-clusterrole",
      "reader-clusterrole",
    ]);
    const { items } = await plane.client.list("v1", "Secret", { namespace: "default" });
    expect(items.filter(({ type }) => type === "gitops.flaghoist.io/revision")).toHaveLength(2);
    // The policy selects every Secret of the namespace, but revisions are no templates.
    const bindings = await plane.client.list("work.karmada.io/v1alpha2", "ResourceBinding", { namespace: "default" });
    expect(bindings.items.map(({ metadata }) => metadata.name).sort()).toEqual(["key-secret", "web-deployment"]);
  });

  it("keeps what an earlier revision needs while clusters have it, also when Git removes it", async () => {
    const rolling = await Rolling.start();
    const uses = (settings: string): KubeObject => {
      const object = web(GOOD);
      const spec = object["spec"] as { template: { spec: { containers: object[] } } };
      const containers = [{ ...spec.template.spec.containers[0], envFrom: [{ configMapRef: { name: settings } }] }];
      return { ...object, spec: { ...spec, template: { ...spec.template, spec: { containers } } } };
    };
    const settings = (name: string): KubeObject => withoutUid(configMap(name, { a: name }, "default"));
    const have = (name: string): string[] =>
      [...rolling.fleet.clusters.values()]
        .filter(({ server }) => server.state.get({ resource: "configmaps", namespace: "default", name }) !== undefined)
        .map((cluster) => cluster.name);
    const everywhere = ["member1", "member2", "member3"];
    await rolling.place(CANARY, everywhere, true);
    await rolling.push(settings("old"), uses("old"));
    await rolling.advance(300);
    expect(have("old")).toEqual(everywhere);

    await rolling.push(settings("new"), uses("new"));
    await rolling.plane.client.delete({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "old" });
    await rolling.advance(20);
    expect(have("old")).toEqual(everywhere);
    await rolling.advance(300);

    expect(await rolling.condition()).toMatch(/^True/);
    expect([have("old"), have("new")]).toEqual([[], everywhere]);
  });

  it("sends a new object in waves, too", async () => {
    const rolling = await Rolling.start();
    const made = policy({ name: "settings", namespace: "default", selects: [{ apiVersion: "v1", kind: "ConfigMap" }] });
    const placement = { clusterAffinity: { clusterNames: ["member1", "member2"] }, flaghoist: { rollout: CANARY } };
    const has = (name: string): boolean =>
      rolling.fleet
        .cluster(name)
        .server.state.get({ resource: "configmaps", namespace: "default", name: "settings" }) !== undefined;

    await rolling.push(
      withoutUid({ ...made, spec: { ...made.spec, placement } }),
      withoutUid(configMap("settings", { a: "1" }, "default")),
    );
    await rolling.advance(5);
    expect([has("member1"), has("member2")]).toEqual([true, false]);
    await rolling.advance(60);
    expect([has("member1"), has("member2")]).toEqual([true, true]);
  });
});
