// A fleet, its control planes, the people who use them and the objects of others, all from one seed.

import type { SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { createFleet, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import type { KubeObject } from "../../kube/object.ts";
import { refOf } from "../../kube/object.ts";
import type { InstanceWrite, VirtualInstance } from "../../reconciler/cli/virtual-instance.ts";
import { createVirtualPlane, type VirtualPlane } from "../../reconciler/cli/virtual-plane.ts";
import type { Profile } from "../../reconciler/controllers/context.ts";
import type { GitFetcher } from "../../reconciler/controllers/sync/git-repository.ts";
import { failoverSettings } from "../../reconciler/failover/failover-modes.ts";
import { createLogger } from "../../runtime/logger.ts";
import { Random } from "../../runtime/random.ts";
import { endlessTurns } from "../../runtime/turn.ts";
import { type App, makeApp, NAMESPACES, objectsOf, pathOf, RESOURCE_OF } from "./support-fleet-apps.ts";
import { DELETION_LIMITS, DeletionWatch } from "./support-fleet-holds.ts";
import { People } from "./support-fleet-people.ts";
import { RolloutWatch } from "./support-fleet-rollouts.ts";
import { GitSource } from "./support-fleet-sync.ts";
import { BrokenWays } from "./support-fleet-way.ts";
import { Witness, watchfulLogger } from "./support-fleet-witness.ts";

const START = Date.UTC(2026, 0, 1);
/** Longest that nobody notices that the control plane has crashed. */
const RESTART_MS = 20_000;
const STEP_MS = 2_000;

interface WorldParts
  extends Pick<ChaosWorld, "fleet" | "plane" | "ways" | "mayMove" | "isSafe" | "processes" | "holdsDeletions"> {
  readonly hasHooks: boolean;
  readonly random: Random;
}

/** An object in a member that is none of our business. */
export interface Foreign {
  readonly cluster: string;
  readonly resource: string;
  readonly path: string;
  readonly uid: string | undefined;
  readonly content: string;
}

/** Everything that one seed determines. */
export class ChaosWorld {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;
  readonly ways: BrokenWays;
  /** Whether failover may move what is placed. */
  readonly mayMove: boolean;
  /** Whether it looks before how much of the fleet is gone. */
  readonly isSafe: boolean;
  /** Whether deletions of many objects wait for a person. */
  readonly holdsDeletions: boolean;
  readonly witness: Witness;
  readonly git: GitSource;
  /** Control planes over the store at a time: with two, they elect the one that acts. */
  readonly processes: 1 | 2;
  readonly apps: App[] = [];
  readonly foreign: Foreign[] = [];
  /** Objects that somebody made in place of a copy of ours, by `cluster resource path`. */
  readonly usurped = new Set<string>();
  readonly violations: string[] = [];
  readonly notes: string[] = [];
  crashes = 0;
  /** Into members, in words. */
  readonly memberWrites: string[] = [];
  storeWrites = 0;
  readonly #people: People;
  readonly #deletions: DeletionWatch;
  readonly #rollouts: RolloutWatch;
  #made = 0;
  #restartAt: number | undefined;

  private constructor(parts: WorldParts) {
    this.fleet = parts.fleet;
    this.plane = parts.plane;
    this.ways = parts.ways;
    this.mayMove = parts.mayMove;
    this.isSafe = parts.isSafe;
    this.processes = parts.processes;
    this.holdsDeletions = parts.holdsDeletions;
    this.witness = new Witness(this);
    this.git = new GitSource(this, parts.hasHooks);
    this.#people = new People(this, parts.random);
    this.#deletions = new DeletionWatch(this);
    this.#rollouts = new RolloutWatch(this);
  }

  /** Starts it; nothing has happened yet, and everything that is wanted is there. */
  static async open(seed: number): Promise<ChaosWorld> {
    endlessTurns();
    const random = new Random(seed);
    const logger =
      process.env["CHAOS_LOG"] === undefined
        ? watchfulLogger((instance, words) => {
            if (world?.plane.instances.some(({ name }) => name === instance) === true) world.violate(words);
          })
        : loud();
    const fleet = await createFleet({
      clusters: 3 + random.below(6),
      nodesPerCluster: 2,
      pace: "stepped",
      level: "fast",
      startMs: START,
      seed,
    });
    const ways = new BrokenWays(new Random(random.below(2 ** 32)));
    let world: ChaosWorld | undefined;
    const fetcher: GitFetcher = {
      fetch: async () => {
        const { commit, tree } = world!.git.head();
        return {
          revision: `main@sha1:${commit}`,
          commit,
          tree,
          subject: `change ${commit}`,
          forced: false,
          warnings: [],
        };
      },
      forget: async () => {},
      sweep: () => {},
    };
    const failover = random.pick(["off", "off", "karmada", "safe"] as const);
    const holdsDeletions = random.chance(0.5);
    const profile: Partial<Profile> = {
      ...failoverSettings(failover),
      ...(failover === "karmada" ? { unreachableTaintAfterMs: 60_000, evictionRate: 10 } : {}),
      ...(holdsDeletions ? { deletionLimits: DELETION_LIMITS } : {}),
    };
    const plane = await createVirtualPlane({ fleet, profile, fetcher, seed, logger, way: ways.way });
    const processes = random.chance(0.35) ? 2 : 1;
    world = new ChaosWorld({
      fleet,
      plane,
      ways,
      mayMove: failover !== "off",
      isSafe: failover === "safe",
      processes,
      holdsDeletions,
      hasHooks: random.chance(0.5),
      random: new Random(random.below(2 ** 32)),
    });
    const failsOver = failover === "off" ? "no failover" : `failover ${failover}`;
    world.note(
      `${failsOver}${holdsDeletions ? ", held deletions" : ""}${world.git.hasHooks ? ", hooks" : ""}, ${processes} at once`,
    );
    await world.#begin(random);
    return world;
  }

  get clusterNames(): readonly string[] {
    return [...this.fleet.clusters.keys()];
  }

  get now(): number {
    return this.fleet.clock.now() - START;
  }

  /** The instance that acts; undefined while none does. */
  get instance(): VirtualInstance | undefined {
    return this.plane.instances.find(({ isLeader }) => isLeader);
  }

  note(text: string): void {
    this.notes.push(`${(this.now / 1000).toFixed(1)} s: ${text}`);
  }

  violate(text: string): void {
    const line = `${(this.now / 1000).toFixed(1)} s: ${text}`;
    if (!this.violations.some((known) => known.endsWith(text))) this.violations.push(line);
  }

  cluster(name: string): SimulatedCluster {
    return this.fleet.cluster(name);
  }

  newApp(random: Random, isSteady = false): App {
    const app = makeApp(random, `app-${++this.#made}`, this.clusterNames, isSteady);
    this.apps.push(app);
    return app;
  }

  /** Its author writes it, as it is now, or deletes it. */
  async publish(app: App): Promise<void> {
    if (!app.exists || app.version === 1) this.#rollouts.placedAnew(app);
    if (app.via === "git") {
      this.git.commit();
      return;
    }
    for (const object of objectsOf(app)) {
      if (app.exists) await this.plane.client.apply(object, { fieldManager: "user", force: true });
      else await this.plane.client.delete(refOf(object));
    }
  }

  /** An object in a member, as it is stored there. */
  stored(cluster: string, resource: string, path: string): KubeObject | undefined {
    const [namespace, name] = path.includes("/") ? path.split("/") : ["", path];
    return this.cluster(cluster).server.state.get({ resource, namespace: namespace ?? "", name: name ?? "" })?.object;
  }

  copyOf(app: App, cluster: string): KubeObject | undefined {
    return this.stored(cluster, RESOURCE_OF[app.kind], pathOf(app));
  }

  /** Lets time pass; a control plane that has crashed is started again. */
  async pass(ms: number): Promise<void> {
    const end = this.fleet.clock.now() + ms;
    while (this.fleet.clock.now() < end) {
      await this.fleet.clock.advance(Math.min(STEP_MS, end - this.fleet.clock.now()));
      await this.#keepRunning();
      this.#rollouts.look();
      this.witness.check();
      await this.#people.look();
    }
  }

  /** Starts what is missing of the control planes. */
  async ensureRunning(): Promise<void> {
    this.#restartAt = undefined;
    while (this.plane.instances.length < this.processes) {
      const elects = this.processes > 1;
      const starting = this.plane.start({ elects, onWrite: (write) => this.#onWrite(write) });
      // One that waits for the lease needs time to pass; one that is killed meanwhile never gets there.
      if (elects) void starting.catch(() => {});
      else await starting;
    }
  }

  async close(): Promise<void> {
    for (const instance of [...this.plane.instances]) instance.crash();
    await this.plane.close();
    await this.fleet.close();
  }

  async #begin(random: Random): Promise<void> {
    this.witness.listen();
    this.git.listen();
    await this.ensureRunning();
    await this.pass(STEP_MS);
    await this.plane.join();
    const { client } = this.plane;
    for (const name of NAMESPACES) await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    for (let count = 4 + random.below(6); count > 0; count--)
      await this.publish(this.newApp(random, random.chance(0.5)));
    const metadata = { name: "apps", namespace: "shop" };
    await client.create({
      apiVersion: GITOPS,
      kind: "GitRepository",
      metadata,
      spec: { url: "https://git.example/apps" },
    });
    await client.create({
      apiVersion: GITOPS,
      kind: "Sync",
      metadata,
      spec: {
        sourceRef: { kind: "GitRepository", name: "apps" },
        interval: "1m",
        retryInterval: "15s",
        pruneLimitPercent: 100,
      },
    });
    await this.pass(60_000);
    for (const { name } of this.fleet.clusters.values()) {
      for (let count = 2 + random.below(4); count > 0; count--) await this.#addForeign(random, name, count);
      this.cluster(name).machine.backUp("first");
    }
    await this.pass(10_000);
  }

  async #addForeign(random: Random, cluster: string, number: number): Promise<void> {
    const kind = random.pick(["ConfigMap", "Secret", "Service", "Deployment"] as const);
    const app: App = {
      ...makeApp(random, `theirs-${number}`, [cluster], true),
      kind,
      namespace: random.pick(NAMESPACES),
      mirrored: [],
    };
    const object = objectsOf({ ...app, isDivided: false })[0]!;
    await this.cluster(cluster).client.apply(object, { fieldManager: "helm", force: true });
    await this.fleet.clock.advance(1_000);
    this.foreign.push(this.remember(cluster, RESOURCE_OF[kind], pathOf(app)));
  }

  /** A foreign object as it is now. */
  remember(cluster: string, resource: string, path: string): Foreign {
    const object = this.stored(cluster, resource, path);
    return { cluster, resource, path, uid: object?.metadata.uid, content: contentText(object) };
  }

  async #keepRunning(): Promise<void> {
    if (this.plane.instances.length === this.processes) return;
    const now = this.fleet.clock.now();
    if (this.#restartAt === undefined) {
      this.crashes++;
      this.witness.upset();
      this.#restartAt = now + (this.crashes % 2 === 0 ? 0 : RESTART_MS);
    }
    if (now >= this.#restartAt) await this.ensureRunning();
  }

  /** Told before each write of a control plane. */
  #onWrite({ instance, cluster, request }: InstanceWrite): void {
    if (this.processes > 1 && !request.path.includes("/leases")) this.#checkLeader(instance, request.path);
    if (cluster === undefined) {
      this.storeWrites++;
      return;
    }
    const target = targetOf(request.path, request.object);
    const key = `${cluster} ${target.resource} ${target.path}`;
    this.memberWrites.push(`${request.method} ${key}`);
    const isTheirs =
      this.usurped.has(key) || this.foreign.some((each) => `${each.cluster} ${each.resource} ${each.path}` === key);
    if (isTheirs && !isRefused(request.object, this.stored(cluster, target.resource, target.path)))
      this.violate(`${request.method} to ${key}, which belongs to others`);
    const owner = this.apps.find((app) => RESOURCE_OF[app.kind] === target.resource && pathOf(app) === target.path);
    if (owner === undefined) return;
    if (request.method === "PATCH" && owner.isStaged) this.#rollouts.onApply(owner, cluster, request.object);
    if (request.method !== "DELETE") return;
    if (this.holdsDeletions && !owner.exists) this.#deletions.onDelete(instance, cluster, owner);
    if (owner.isSteady && !owner.isDivided && owner.clusters.includes(cluster) && !this.mayMove)
      this.violate(`DELETE of ${key}, which was wanted all the time`);
  }

  /** Only the holder of the lease writes, at any moment. */
  #checkLeader(instance: string, path: string): void {
    const id = { resource: "coordination.k8s.io/leases", namespace: "karmada-system", name: "flaghoist" };
    const lease = this.plane.store.state.get(id)?.object;
    const holder = (lease?.["spec"] as { holderIdentity?: string } | undefined)?.holderIdentity;
    if (holder !== instance) this.violate(`${instance} writes ${path} while ${holder} holds the lease`);
  }
}

/** Whether a write holds for a revision only that the object, as it is, does not have: it changes nothing. */
function isRefused(sent: unknown, live: KubeObject | undefined): boolean {
  // A deletion names it among its preconditions.
  const { metadata, preconditions } = (sent ?? {}) as Partial<KubeObject> & { preconditions?: KubeObject["metadata"] };
  const { resourceVersion } = preconditions ?? metadata ?? {};
  return live !== undefined && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion;
}

const GITOPS = "gitops.flaghoist.io/v1alpha1";

/** What an object is, without what servers and controllers write. */
export function contentText(object: KubeObject | undefined): string {
  if (object === undefined) return "nothing";
  const { metadata, status: _status, ...content } = object;
  return JSON.stringify([metadata.labels, metadata.annotations, metadata.finalizers, content]);
}

/** Resource and path within it that a request is about. */
export function targetOf(fullPath: string, body: unknown): { resource: string; path: string } {
  const [path = ""] = fullPath.split("?");
  const parts = path.split("/").filter((part) => part !== "");
  const group = parts[0] === "api" ? "" : (parts[1] ?? "");
  const rest = parts.slice(parts[0] === "api" ? 2 : 3);
  const isNamespaced = rest[0] === "namespaces" && rest.length > 2;
  const namespace = isNamespaced ? (rest[1] ?? "") : "";
  const [plural = "", named] = isNamespaced ? rest.slice(2) : rest;
  const name = named ?? (body as { metadata?: { name?: string } } | undefined)?.metadata?.name ?? "";
  return {
    resource: group === "" ? plural : `${group}/${plural}`,
    path: namespace === "" ? name : `${namespace}/${name}`,
  };
}

/** Deletes an object that may be gone. */
export async function deleteIfThere(cluster: SimulatedCluster, object: KubeObject): Promise<void> {
  try {
    await cluster.client.delete(refOf(object));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function loud() {
  const level = process.env["CHAOS_LOG"] === "debug" ? ("debug" as const) : ("info" as const);
  return createLogger({
    level,
    format: "text",
    write: (line) => void process.stderr.write(line),
    now: () => Date.now(),
  });
}
