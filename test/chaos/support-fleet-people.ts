// People who do what a control plane asks of them: sooner or later, and by the very words that it writes.
import type { Condition, KubeObject } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";
import { RESOURCE_OF } from "./support-fleet-apps.ts";
import { conditionOf } from "./support-fleet-witness.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

const COMMAND = /kubectl annotate cluster (\S+) --overwrite ([^\s=]+)=(\S+)$/;
/** What people are asked about: deletions that are held, and copies that nobody wants. */
const ASKED = [
  { type: "DeletionsHeld", reason: "MassDeletion" },
  { type: "LeftOver", reason: "NoWork" },
] as const;
const RETRY = "gitops.flaghoist.io/rollout-retry";
const FAILED_ROLLOUTS: ReadonlySet<string> = new Set(["RolloutStopped", "ReturnedToLastHealthy"]);

/** Look at the control plane now and then, and act on what they see after a while. */
export class People {
  readonly #world: ChaosWorld;
  readonly #random: Random;
  /** By what they saw: when they act on it. */
  readonly #due = new Map<string, number>();

  constructor(world: ChaosWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** To be called now and then. */
  async look(): Promise<void> {
    for (const { object } of this.#world.plane.store.state.list("cluster.karmada.io/clusters"))
      for (const { type, reason } of ASKED) await this.#answer(object, conditionOf(object, type), reason);
    await this.#retryRollouts();
  }

  /** Does what a condition of a cluster says is to be done, if it still says so. */
  async #answer(cluster: KubeObject, condition: Condition | undefined, reason: string): Promise<void> {
    const { apiVersion, kind, metadata } = cluster;
    const { name = "" } = metadata;
    if (condition?.status !== "True" || condition.reason !== reason) return;
    if (!this.#isDue(`${name} ${condition.message}`)) return;
    const [, named, key = "", value] = COMMAND.exec(condition.message) ?? [];
    if (named !== name) {
      this.#world.violate(`Cluster ${name} does not say what to do: ${condition.message}`);
      return;
    }
    await this.#world.plane.client.patch(
      { apiVersion, kind, name },
      { metadata: { annotations: { [key]: value } } },
      "merge",
    );
    this.#world.note(`people answer: ${condition.message}`);
  }

  async #retryRollouts(): Promise<void> {
    const { state } = this.#world.plane.store;
    for (const app of this.#world.apps) {
      if (!app.isStaged || !app.exists) continue;
      const id = { resource: RESOURCE_OF[app.kind], namespace: app.namespace ?? "", name: app.name };
      const template = state.get(id)?.object;
      const binding = state.get({
        resource: "work.karmada.io/resourcebindings",
        namespace: app.namespace ?? "",
        name: `${app.name}-deployment`,
      })?.object;
      const status = binding?.["status"] as { conditions?: { type: string; reason: string }[] } | undefined;
      const reason = status?.conditions?.find(({ type }) => type === "RolledOut")?.reason ?? "";
      if (template === undefined || !FAILED_ROLLOUTS.has(reason)) continue;
      if (!this.#isDue(`${app.name} ${template.metadata.generation} ${reason}`)) continue;
      const { apiVersion, kind, metadata } = template;
      const ref = { apiVersion, kind, namespace: metadata.namespace, name: app.name };
      const time = new Date(this.#world.fleet.clock.now()).toISOString();
      await this.#world.plane.client.patch(ref, { metadata: { annotations: { [RETRY]: time } } }, "merge");
      this.#world.note(`people try the rollout of ${app.name} again: ${reason}`);
    }
  }

  /** Whether what they saw was there for long enough; it is looked at anew when it comes again later. */
  #isDue(sight: string): boolean {
    const { now } = this.#world;
    const due = this.#due.get(sight);
    if (due === undefined) this.#due.set(sight, now + this.#random.pick([10_000, 60_000, 240_000]));
    if (due === undefined || now < due) return false;
    this.#due.delete(sight);
    return true;
  }
}
