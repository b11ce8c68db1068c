// Clusters that are lost in the middle of a rollout, and what their replacements get.
import { describe, expect, it } from "vitest";
import type { Rollout } from "../../api/rollout.ts";
import type { KubeObject } from "../../kube/object.ts";
import { failoverSettings } from "../../reconciler/failover/failover-modes.ts";
import { configMap, policy } from "../builders.ts";
import { BETTER, GOOD, Rolling, web, withoutUid } from "./support/rolling.ts";

/** Long enough for a loss to be noticed and acted upon while a wave is being watched. */
const SOAK = "10m";
const NOTICED_S = 180;

function using(image: string): KubeObject {
  const object = web(image);
  const spec = object["spec"] as { template: { spec: { containers: object[] } } };
  const containers = [{ ...spec.template.spec.containers[0], envFrom: [{ configMapRef: { name: "settings" } }] }];
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { containers } } } };
}

/** A workload and its settings in three of four clusters; `first` is the canary, and nobody has `spare`. */
class Scene {
  readonly rolling: Rolling;
  readonly first: string;
  readonly second: string;
  readonly third: string;
  readonly spare: string;

  private constructor(rolling: Rolling, chosen: readonly string[]) {
    this.rolling = rolling;
    [this.first = "", this.second = "", this.third = ""] = chosen;
    this.spare = [...rolling.fleet.clusters.keys()].find((name) => !chosen.includes(name)) ?? "";
  }

  static async start(): Promise<Scene> {
    const rolling = await Rolling.start(null, "fast", failoverSettings("safe"));
    await place(rolling, undefined);
    await rolling.push(settings("one"), using(GOOD));
    await rolling.advance(300);
    const scene = new Scene(rolling, Object.keys(rolling.images).sort());
    expect(Object.keys(rolling.images)).toHaveLength(3);
    await place(rolling, {
      waves: [
        { name: "canary", clusterAffinity: { clusterNames: [scene.first] } },
        { name: "next", clusterAffinity: { clusterNames: [scene.second] } },
      ],
      minSuccessTime: SOAK,
    });
    await rolling.advance(60);
    return scene;
  }

  async lose(name: string): Promise<void> {
    this.rolling.fleet.faults.begin({ type: "outage", name, target: { clusters: [name] } });
    await this.rolling.advance(NOTICED_S);
  }

  /** `image settings` by cluster, of those that are there. */
  get have(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.rolling.images).map(([name, image]) => {
        const stored = this.rolling.fleet
          .cluster(name)
          .server.state.get({ resource: "configmaps", namespace: "default", name: "settings" })?.object;
        return [name, `${image} ${(stored?.["data"] as { value?: string } | undefined)?.value}`];
      }),
    );
  }

  async targets(): Promise<string[]> {
    return ((await this.rolling.binding()).spec.clusters ?? []).map(({ name }) => name).sort();
  }
}

function settings(value: string): KubeObject {
  return withoutUid(configMap("settings", { value }, "default"));
}

async function place(rolling: Rolling, rollout: Rollout | undefined): Promise<void> {
  const { metadata, spec, ...rest } = policy({ name: "web", namespace: "default", propagateDeps: true });
  const { labels: _labels, ...named } = metadata;
  const placement = {
    spreadConstraints: [{ spreadByField: "cluster" as const, minGroups: 3, maxGroups: 3 }],
    ...(rollout === undefined ? {} : { flaghoist: { rollout } }),
  };
  await rolling.push({ ...rest, metadata: named, spec: { ...spec, placement } });
}

const OLD = `${GOOD} one`;
const NEW = `${BETTER} two`;

describe("a cluster that is lost in the middle of a rollout", () => {
  it("is replaced by one that has the last healthy revision until its turn, if its own had not come", async () => {
    const scene = await Scene.start();
    const { rolling, first, second, third, spare } = scene;
    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(10);
    expect(scene.have).toEqual({ [first]: NEW, [second]: OLD, [third]: OLD });

    await scene.lose(second);
    expect(await scene.targets()).toEqual([first, third, spare].sort());
    expect(scene.have).toMatchObject({ [first]: NEW, [third]: OLD, [spare]: OLD });
    await rolling.advance(2_400);

    expect(scene.have).toMatchObject({ [first]: NEW, [third]: NEW, [spare]: NEW });
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("proves the revision no less when it was done with it, and its replacement still waits for its turn", async () => {
    const scene = await Scene.start();
    const { rolling, first, second, third, spare } = scene;
    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(620);
    expect(scene.have).toEqual({ [first]: NEW, [second]: NEW, [third]: OLD });

    await scene.lose(first);
    expect(await scene.targets()).toEqual([second, third, spare].sort());
    expect(scene.have).toMatchObject({ [second]: NEW, [third]: OLD, [spare]: OLD });
    await rolling.advance(2_400);

    expect(scene.have).toMatchObject({ [second]: NEW, [third]: NEW, [spare]: NEW });
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
  });

  it("holds up no wave when it was on the way, and has nothing old left once it is back", async () => {
    const scene = await Scene.start();
    const { rolling, first, second, third, spare } = scene;
    await rolling.push(settings("two"), using(BETTER));
    await rolling.advance(10);

    await scene.lose(first);
    expect(scene.have).toMatchObject({ [second]: NEW, [third]: OLD, [spare]: OLD });
    await rolling.advance(3_600);
    expect(scene.have).toMatchObject({ [second]: NEW, [third]: NEW, [spare]: NEW });
    expect(await rolling.condition()).toMatch(/^True RolloutComplete/);
    rolling.fleet.faults.end(first);
    await rolling.advance(3_600);

    expect(Object.values(scene.have)).toEqual([NEW, NEW, NEW]);
    expect(Object.keys(scene.have).sort()).toEqual(await scene.targets());
  });
});
