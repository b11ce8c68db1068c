// Keeps the role of the control plane's account in each member at what the kinds in use call for.
import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterPropagationPolicy, PropagationPolicy } from "../../../api/policy.ts";
import type { Work } from "../../../api/work.ts";
import { connectCluster, decodeSecret } from "../../../fleets/connect.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import {
  accountRoleName,
  MEMBER_NAMESPACE,
  MEMBER_RIGHTS_ANNOTATION,
  rightsSecretName,
} from "../../../fleets/member-account-names.ts";
import type { DeniedRequest } from "../../../fleets/member-rights.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { equalJson, type ObjectRef } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { type KindsInUse, type UsedKind, UseIndex } from "../../works/kinds-in-use.ts";
import { memberRules, type ResourceOf } from "../../works/member-rules.ts";
import { clusterOfExecutionNamespace, EXECUTION_NAMESPACE_PREFIX } from "../../works/naming.ts";
import { type PolicyRule, rulesAllow } from "../../works/policy-rule.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { manifestsOf } from "../works/work-status.ts";

/** How long what was read of the role counts. */
const FRESH_MS = 5_000;

/** The role as it was last read or written. */
interface Known {
  readonly rules: readonly PolicyRule[];
  /** What the rules are for. */
  readonly kinds: readonly UsedKind[];
  readonly at: number;
}

interface LeavingKind {
  readonly kind: UsedKind;
  readonly until: number;
}

/** Which kinds there are Works of, by cluster. To be made before Works are listed, where there may be many. */
export class KindsOfWorks {
  readonly index = new UseIndex();
  /** Called with a cluster when something of it changes. */
  onChange: (cluster: string) => void = () => {};

  constructor({ informers }: ControllerContext) {
    informers.of<Work>(WORK_API_VERSION, "Work").subscribe(({ type, object }) => {
      const { namespace = "", name = "" } = object.metadata;
      if (!namespace.startsWith(EXECUTION_NAMESPACE_PREFIX)) return;
      const cluster = clusterOfExecutionNamespace(namespace);
      if (this.index.setWork(cluster, name, type === "deleted" ? [] : manifestsOf(object))) this.onChange(cluster);
    });
  }
}

export function startMemberRightsController(context: ControllerContext, fleet: Fleet, works: KindsOfWorks): Controller {
  const { clock, logger, informers } = context;
  const clusters = informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const { index } = works;
  const known = new Map<string, Known>();
  /** Until when kinds that are no longer in use are still allowed, by cluster. */
  const leaving = new Map<string, Map<string, LeavingKind>>();
  const lastKinds = new Map<string, readonly UsedKind[]>();
  const running = new Map<string, Promise<void>>();
  const queue = new WorkQueue({ name: "member-rights", clock, logger, workers: 8, maxBackoffMs: 60_000 }, step);

  // Every cluster there is is looked at by its own event.
  works.onChange = (cluster) => queue.add(cluster);
  for (const kind of ["PropagationPolicy", "ClusterPropagationPolicy"] as const) {
    informers
      .of<PropagationPolicy | ClusterPropagationPolicy>("policy.karmada.io/v1alpha1", kind)
      .subscribe((change) => {
        const { resourceSelectors, placement } = change.object.spec;
        const { namespace = "", name = "" } = change.object.metadata;
        if (change.type === "updated" && equalJson(change.previous.spec, change.object.spec)) return;
        index.setPolicy(`${kind}/${namespace}/${name}`, change.type === "deleted" ? [] : resourceSelectors, placement);
        for (const cluster of clusters.all()) if (rightsFollowUse(cluster)) queue.add(cluster.metadata.name ?? "");
      });
  }
  clusters.subscribe((change) => {
    const changed =
      change.type !== "updated" ||
      change.object.metadata.generation !== change.previous.metadata.generation ||
      !equalJson(change.object.metadata.labels, change.previous.metadata.labels) ||
      !equalJson(change.object.metadata.annotations, change.previous.metadata.annotations) ||
      !equalJson(change.object.status?.apiEnablements, change.previous.status?.apiEnablements);
    if (changed) queue.add(change.object.metadata.name ?? "");
  });
  fleet.rights.keepBy(grant);

  /** What is in use, and what was until a moment ago. */
  function useOf(cluster: Cluster): KindsInUse {
    const name = cluster.metadata.name ?? "";
    const use = index.of(cluster);
    const inUse = new Set(use.kinds.map(keyOf));
    const kept = leaving.get(name) ?? new Map<string, LeavingKind>();
    const now = clock.now();
    for (const kind of lastKinds.get(name) ?? [])
      if (!inUse.has(keyOf(kind)) && !kept.has(keyOf(kind)))
        kept.set(keyOf(kind), { kind, until: now + context.profile.memberRightsKeptMs });
    for (const [key, { until }] of kept) if (inUse.has(key) || until <= now) kept.delete(key);
    leaving.set(name, kept);
    lastKinds.set(name, use.kinds);
    const kinds = [...use.kinds, ...[...kept.values()].map(({ kind }) => kind)];
    return { ...use, kinds };
  }

  function resourcesOf(name: string): ResourceOf {
    const mappers = [fleet.get(name)?.member.client.mapper, context.client.mapper];
    return (apiVersion, kind) => {
      for (const mapper of mappers) {
        const plural = mapper?.known(apiVersion, kind)?.plural;
        if (plural !== undefined) return plural;
      }
      return undefined;
    };
  }

  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined || !rightsFollowUse(cluster)) {
      for (const map of [known, leaving, lastKinds]) map.delete(name);
      return undefined;
    }
    await bringUpToDate(cluster);
    const until = Math.min(...[...(leaving.get(name)?.values() ?? [])].map((kind) => kind.until));
    return Number.isFinite(until) ? { requeueAfterMs: Math.max(until - clock.now(), 0) + 1 } : undefined;
  }

  /** One at a time in a cluster; whoever comes meanwhile gets what the next one after his coming made. */
  async function bringUpToDate(cluster: Cluster): Promise<void> {
    const name = cluster.metadata.name ?? "";
    const before = running.get(name);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(() => write(cluster));
    running.set(name, mine);
    try {
      await mine;
    } finally {
      if (running.get(name) === mine) running.delete(name);
    }
  }

  async function write(cluster: Cluster): Promise<void> {
    const name = cluster.metadata.name ?? "";
    const { kinds, ...use } = useOf(cluster);
    const rules = memberRules({ ...use, kinds }, accountRoleName(name), resourcesOf(name));
    const last = known.get(name);
    if (last !== undefined && equalJson(last.rules, rules)) return;
    const secret = await context.client.find(secretRef(name));
    // Made by an older version, or taken away: then a person grants rights.
    if (secret === undefined) return;
    const transport = await connectCluster(cluster, decodeSecret(secret));
    try {
      const keeper = new KubeClient(transport.send);
      const role = roleRef(name);
      const present = readRules((await keeper.get(role))["rules"]);
      if (!equalJson(present, rules)) {
        const now = new Set(kinds.map(keyOf));
        for (const kind of last?.kinds ?? [])
          if (!now.has(keyOf(kind))) await fleet.get(name)?.member.stopWatching(kind.apiVersion, kind.kind);
        await keeper.patch(role, { rules }, "merge", { fieldManager: "flaghoist" });
        tell(cluster, present, rules);
      }
      known.set(name, { rules, kinds, at: clock.now() });
      fleet.rights.forget(name, (denied) => denied.handsOut || !rulesAllow(rules, denied));
    } catch (error) {
      forgetRules(name);
      context.events.record(
        subjectOf(cluster),
        "Warning",
        "SyncMemberRightsFailed",
        `Rights of the account could not be brought up to date: ${messageOf(error)}`,
      );
      throw error;
    } finally {
      await transport.close();
    }
  }

  function tell(cluster: Cluster, before: readonly PolicyRule[], after: readonly PolicyRule[]): void {
    const [were, are] = [resourcesIn(before), resourcesIn(after)];
    const come = [...are].filter((resource) => !were.has(resource));
    const went = [...were].filter((resource) => !are.has(resource));
    const parts = [
      ...(come.length === 0 ? [] : [`now also ${come.join(", ")}`]),
      ...(went.length === 0 ? [] : [`no longer ${went.join(", ")}`]),
    ];
    const message = `Rights of the account follow the kinds in use${parts.length === 0 ? "" : `: ${parts.join("; ")}`}.`;
    context.events.record(subjectOf(cluster), "Normal", "SyncMemberRightsSucceed", message);
    logger.info("changed rights in member", { cluster: cluster.metadata.name, granted: come, revoked: went });
  }

  async function grant(name: string, denied: DeniedRequest): Promise<boolean> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || !rightsFollowUse(cluster)) return false;
    const rules = memberRules(useOf(cluster), accountRoleName(name), resourcesOf(name));
    if (!denied.handsOut && !rulesAllow(rules, denied)) return false;
    const last = known.get(name);
    // Granted a moment ago, and the member has not noticed; otherwise somebody may have changed the role there.
    if (last !== undefined && equalJson(last.rules, rules) && clock.now() - last.at < FRESH_MS) return true;
    forgetRules(name);
    try {
      await bringUpToDate(cluster);
    } catch (error) {
      logger.warn("failed to change rights in member", { cluster: name, error: messageOf(error) });
      return false;
    }
    return known.get(name)?.rules.length !== 0;
  }

  /** So that the role is read again. */
  function forgetRules(name: string): void {
    const last = known.get(name);
    if (last !== undefined) known.set(name, { ...last, rules: [] });
  }

  return { stop: () => queue.stop() };
}

/** Whether the rights of our account in the cluster are those that the kinds in use there call for. */
export function rightsFollowUse(cluster: Cluster): boolean {
  return cluster.metadata.annotations?.[MEMBER_RIGHTS_ANNOTATION] === "kinds-in-use";
}

function keyOf({ apiVersion, kind }: UsedKind): string {
  return `${apiVersion}/${kind}`;
}

function roleRef(cluster: string): ObjectRef {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: accountRoleName(cluster) };
}

function secretRef(cluster: string): ObjectRef {
  return { apiVersion: "v1", kind: "Secret", namespace: MEMBER_NAMESPACE, name: rightsSecretName(cluster) };
}

function readRules(rules: unknown): readonly PolicyRule[] {
  // What a server answers as rules of a ClusterRole.
  return Array.isArray(rules) ? (rules as PolicyRule[]) : [];
}

function resourcesIn(rules: readonly PolicyRule[]): Set<string> {
  return new Set(
    rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
      verbs.includes("create")
        ? apiGroups.flatMap((group) => resources.map((resource) => (group === "" ? resource : `${resource}.${group}`)))
        : [],
    ),
  );
}
