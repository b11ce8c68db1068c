// ConfigMaps and Secrets that go with the waves of the workload that uses them.
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { configMap, policy } from "../builders.ts";
import { BAD, BETTER, CANARY, GOOD, Rolling, web, withoutUid } from "./support/rolling.ts";

const EVERYWHERE = ["member1", "member2", "member3"];

/** The workload, with settings from a ConfigMap and a Secret of the same name. */
function using(image: string, name = "settings"): KubeObject {
  const object = web(image);
  const spec = object["spec"] as { template: { spec: { containers: object[] } } };
  const envFrom = [{ configMapRef: { name } }, { secretRef: { name, optional: true } }];
  const containers = [{ ...spec.template.spec.containers[0], envFrom }];
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { containers } } } };
}

function settings(value: string): KubeObject {
  return withoutUid(configMap("settings", { value }, "default"));
}

function secret(value: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "settings", namespace: "default" },
    data: { value: Buffer.from(value).toString("base64") },
  };
}

/** What the clusters have of an object's `value`, in the order of their names. */
function values(rolling: Rolling, resource: "configmaps" | "secrets", names = EVERYWHERE): string {
  return names
    .map((name) => {
      const stored = rolling.fleet
        .cluster(name)
        .server.state.get({ resource, namespace: "default", name: "settings" })?.object;
      const text = (stored?.["data"] as { value?: string } | undefined)?.value;
      return text === undefined ? "-" : resource === "secrets" ? Buffer.from(text, "base64").toString() : text;
    })
    .join(" ");
}

/** The workload and its settings are everywhere, sent along. */
async function startWith(level: "fast" | "full" = "fast"): Promise<Rolling> {
  const rolling = await Rolling.start(CANARY, level);
  await rolling.place(CANARY, EVERYWHERE, true);
  await rolling.push(settings("one"), secret("one"), using(GOOD));
  await rolling.advance(400);
  expect(values(rolling, "configmaps")).toBe("one one one");
  expect(await rolling.condition()).toMatch(/^True/);
  return rolling;
}

describe("what a staged workload needs", () => {
  it("goes with its waves, although it has the same name as before", async () => {
    const rolling = await startWith();

    await rolling.push(settings("two"), secret("two"), using(BETTER));
    await rolling.advance(10);
    expect(values(rolling, "configmaps")).toBe("two one one");
    expect(values(rolling, "secrets")).toBe("two one one");
    expect(rolling.images).toEqual({ member1: BETTER, member2: GOOD, member3: GOOD });
    await rolling.advance(40);
    expect(values(rolling, "configmaps")).toBe("two two one");
    await rolling.advance(100);

    expect(values(rolling, "configmaps")).toBe("two two two");
    expect(values(rolling, "secrets")).toBe("two two two");
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("goes in waves when it changes alone", async () => {
    const rolling = await startWith();

    await rolling.push(settings("two"));
    await rolling.advance(10);
    expect(values(rolling, "configmaps")).toBe("two one one");
    expect(await rolling.condition()).toMatch(/^False RolloutProgressing: revision \w+, wave canary \(1 of 3\)/);
    await rolling.advance(200);

    expect(values(rolling, "configmaps")).toBe("two two two");
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("is there before what needs it", async () => {
    const rolling = await startWith();
    const seen: string[] = [];
    let known = rolling.images["member1"];
    rolling.fleet.cluster("member1").server.state.subscribeAll(({ object: { resource } }) => {
      const image = rolling.images["member1"];
      if (resource !== "apps/deployments" || image === known) return;
      known = image;
      seen.push(values(rolling, "configmaps", ["member1"]));
    });
    // What is sent at the same time arrives in any order.
    rolling.fleet.faults.begin({
      type: "slow",
      target: { clusters: ["member1"] },
      latency: { p50: "200ms", p99: "5s" },
    });

    for (const round of ["two", "three", "four", "five"]) {
      seen.length = 0;
      await rolling.push(settings(round), using(round === "two" || round === "four" ? BETTER : GOOD));
      await rolling.advance(300);
      expect(seen[0]).toBe(round);
    }
  });

  it("returns with it to the last healthy revision", async () => {
    const rolling = await startWith("full");

    await rolling.push(settings("two"), secret("two"), using(BAD));
    await rolling.advance(30);
    expect(values(rolling, "configmaps")).toBe("two one one");
    await rolling.advance(240);

    expect(await rolling.condition()).toMatch(/^False ReturnedToLastHealthy/);
    expect(values(rolling, "configmaps")).toBe("one one one");
    expect(values(rolling, "secrets")).toBe("one one one");
    expect(rolling.images).toEqual({ member1: GOOD, member2: GOOD, member3: GOOD });
  });

  it("stays as it was in a cluster that has the last healthy revision, and comes to a new one like that", async () => {
    const rolling = await startWith();
    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(10);

    await rolling.place(CANARY, [...EVERYWHERE, "member4"], true);
    await rolling.advance(5);
    expect(values(rolling, "configmaps", [...EVERYWHERE, "member4"])).toBe("two one one one");
    await rolling.advance(300);

    expect(values(rolling, "configmaps", [...EVERYWHERE, "member4"])).toBe("two two two two");
  });

  it("goes on after a crash in the middle, to the same end", async () => {
    const rolling = await startWith();
    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(10);

    rolling.plane.instances[0]?.crash();
    await rolling.plane.start();
    await rolling.advance(10);
    expect(values(rolling, "configmaps")).toBe("two one one");
    await rolling.advance(300);

    expect(values(rolling, "configmaps")).toBe("two two two");
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("goes with it, too, where the same policy has both", async () => {
    const rolling = await Rolling.start();
    const { metadata, spec, ...rest } = policy({ name: "web", namespace: "default" });
    const placement = { clusterAffinity: { clusterNames: EVERYWHERE }, flaghoist: { rollout: CANARY } };
    const selectors = ["apps/v1 Deployment", "v1 ConfigMap"].map((text) => {
      const [apiVersion = "", kind = ""] = text.split(" ");
      return { apiVersion, kind };
    });
    const { labels: _labels, ...named } = metadata;
    await rolling.push({ ...rest, metadata: named, spec: { ...spec, resourceSelectors: selectors, placement } });
    await rolling.push(settings("one"), using(GOOD));
    await rolling.advance(600);
    expect(values(rolling, "configmaps")).toBe("one one one");

    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(20);
    expect(values(rolling, "configmaps")).toBe("two one one");
    await rolling.annotate("gitops.flaghoist.io/rollout-paused", "true");
    await rolling.advance(300);
    expect(values(rolling, "configmaps")).toBe("two one one");
    await rolling.annotate("gitops.flaghoist.io/rollout-paused", null);
    await rolling.advance(300);

    expect(values(rolling, "configmaps")).toBe("two two two");
    expect(rolling.images["member3"]).toBe(BETTER);
  });

  it("goes everywhere at once where a policy without a rollout has it", async () => {
    const rolling = await startWith();
    const made = policy({ name: "settings", namespace: "default", selects: [{ apiVersion: "v1", kind: "ConfigMap" }] });
    const placement = { clusterAffinity: { clusterNames: EVERYWHERE } };
    await rolling.push(withoutUid({ ...made, spec: { ...made.spec, placement } }));
    await rolling.advance(120);

    await rolling.push(settings("two"));
    await rolling.advance(5);

    expect(values(rolling, "configmaps")).toBe("two two two");
  });

  it("is kept as a Secret when it is one, and forgotten with the rollout", async () => {
    const rolling = await startWith();
    await rolling.push(secret("two"));
    await rolling.advance(300);

    expect(JSON.stringify(await rolling.revisions())).not.toContain(Buffer.from("two").toString("base64"));
    await rolling.place(undefined, EVERYWHERE, true);
    await rolling.advance(60);

    const { items } = await rolling.plane.client.list("v1", "Secret", { namespace: "default" });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["settings"]);
    expect(await rolling.revisions()).toEqual([]);
  });
});
