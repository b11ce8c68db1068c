// A whole control plane on the clock of simulated members, with a workload whose changes go in waves.
import { afterEach } from "vitest";
import type { Rollout } from "../../../api/rollout.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { createVirtualPlane, type VirtualPlane } from "../../../reconciler/cli/virtual-plane.ts";
import type { Profile } from "../../../reconciler/controllers/context.ts";
import { deployment, policy } from "../../builders.ts";

export const GOOD = "example/web:1";
export const BETTER = "example/web:2";
/** A name that no container runtime takes: its pods never start. */
export const BAD = "example/WEB:3";

export const CANARY: Rollout = {
  waves: [
    { name: "canary", clusterAffinity: { clusterNames: ["member1"] } },
    { name: "next", partition: 1 },
  ],
  minSuccessTime: "30s",
  progressDeadline: "2m",
  skipUnavailableAfter: "3m",
};

const open: { fleet: SimulatedFleet; plane: VirtualPlane }[] = [];

afterEach(async () => {
  for (const { plane, fleet } of open.splice(0)) {
    await plane.close();
    await fleet.close();
  }
});

export function withoutUid(object: KubeObject): KubeObject {
  const { uid: _uid, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function web(image: string, replicas = 2): KubeObject {
  const made = withoutUid(deployment({ name: "web", namespace: "default", replicas }));
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image }] } };
  return { ...made, spec: { replicas, selector: { matchLabels: labels }, template } };
}

/** Four clusters with a workload in the first three, of which the first is the canary. */
export class Rolling {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;

  private constructor(fleet: SimulatedFleet, plane: VirtualPlane) {
    this.fleet = fleet;
    this.plane = plane;
  }

  /** `full`: pods run, so that an image can be bad. */
  static async start(
    rollout: Rollout | null = CANARY,
    level: "fast" | "full" = "fast",
    profile: Partial<Profile> = {},
  ): Promise<Rolling> {
    const fleet = await createFleet({
      clusters: 4,
      pace: "stepped",
      startMs: Date.UTC(2026, 0, 1),
      level,
      seed: 7,
    });
    const plane = await createVirtualPlane({ fleet, seed: 7, profile });
    open.push({ fleet, plane });
    await plane.start();
    await plane.join();
    await fleet.clock.advance(60_000);
    const rolling = new Rolling(fleet, plane);
    await rolling.place(rollout ?? undefined);
    await rolling.push(web(GOOD));
    await fleet.clock.advance(120_000);
    return rolling;
  }

  async push(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) await this.plane.client.apply(object, { fieldManager: "user", force: true });
    await this.fleet.clock.settled();
  }

  async place(
    rollout: Rollout | undefined,
    clusterNames = ["member1", "member2", "member3"],
    propagateDeps = false,
  ): Promise<void> {
    const made = policy({ name: "web", namespace: "default", propagateDeps });
    const placement = {
      ...made.spec.placement,
      clusterAffinity: { clusterNames },
      ...(rollout === undefined ? {} : { flaghoist: { rollout } }),
    };
    const { labels: _labels, ...metadata } = made.metadata;
    await this.push({ ...made, metadata, spec: { ...made.spec, placement } });
  }

  async annotate(key: string, value: string | null): Promise<void> {
    await this.plane.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" },
      { metadata: { annotations: { [key]: value } } },
      "merge",
    );
    await this.fleet.clock.settled();
  }

  advance(seconds: number): Promise<void> {
    return this.fleet.clock.advance(seconds * 1_000);
  }

  get clusters(): Record<string, KubeObject> {
    const found = [...this.fleet.clusters].map(([name, { server }]) => {
      const stored = server.state.get({ resource: "apps/deployments", namespace: "default", name: "web" });
      return [name, stored?.object] as const;
    });
    return Object.fromEntries(found.filter((entry): entry is [string, KubeObject] => entry[1] !== undefined));
  }

  /** Images by cluster. */
  get images(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.clusters).map(([name, object]) => {
        const spec = object["spec"] as { template: { spec: { containers: { image: string }[] } } };
        return [name, spec.template.spec.containers[0]?.image ?? ""];
      }),
    );
  }

  get replicas(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.clusters).map(([name, { spec }]) => [name, (spec as { replicas: number }).replicas]),
    );
  }

  async binding(): Promise<ResourceBinding> {
    return this.plane.client.get<ResourceBinding>({
      apiVersion: "work.karmada.io/v1alpha2",
      kind: "ResourceBinding",
      namespace: "default",
      name: "web-deployment",
    });
  }

  async condition(): Promise<string> {
    const found = findCondition((await this.binding()).status?.conditions, "RolledOut");
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  }

  async revisions(): Promise<readonly KubeObject[]> {
    return (await this.plane.client.list("apps/v1", "ControllerRevision", { namespace: "default" })).items;
  }
}

export function all(image: string, names = ["member1", "member2", "member3"]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, image]));
}
