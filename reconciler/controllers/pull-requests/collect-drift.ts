// What is known at present of the drift of everything that comes from one source: from the records on Works, so that no
// member has to be asked, and those with an agent are told of as well.
import type { Cluster } from "../../../api/cluster.ts";
import type { GitRepository, Sync } from "../../../api/gitops.ts";
import type { Work } from "../../../api/work.ts";
import { parseApiVersion } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";
import type { CopyState } from "../../plan/live-drift.ts";
import { standingCopies } from "../../plan/standing-drift.ts";
import type { KnownDrift } from "../../pull-requests/publish-drift.ts";
import { EXECUTION_NAMESPACE_PREFIX } from "../../works/naming.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import { CLUSTER_API, findReady } from "../clusters/cluster-object.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API, keyOf } from "../sync/git-repository.ts";
import { refOfEntry } from "../sync/sync-decisions.ts";

export interface CollectOptions {
  readonly source: GitRepository;
  readonly seenUntilMs: number;
  readonly hideLive: boolean;
}

/** Takes turns with others: there may be very many Works. */
export async function collectDrift(
  { informers }: Pick<ControllerContext, "informers">,
  { source, ...rest }: CollectOptions,
): Promise<KnownDrift> {
  const syncOf = indexSyncs(informers.of<Sync>(GITOPS_API, "Sync").all(), keyOf(source));
  const all = new Map([...informers.of<Cluster>(CLUSTER_API, "Cluster").all()].map((one) => [one.metadata.name, one]));
  const silent = new Map([...all].map(([name, cluster]) => [name, whySilent(cluster)]));
  const copies: CopyState[] = [];
  const concerned = new Set<string>();
  let young = 0;
  const turn = new Turn();
  for (const work of [...informers.of<Work>(WORK_API_VERSION, "Work").all()]) {
    if (turn.isOver) await turn.next();
    const { namespace = "", deletionTimestamp } = work.metadata;
    if (!namespace.startsWith(EXECUTION_NAMESPACE_PREFIX) || deletionTimestamp !== undefined) continue;
    const cluster = namespace.slice(EXECUTION_NAMESPACE_PREFIX.length);
    if (!all.has(cluster)) continue;
    const answers = silent.get(cluster) === undefined;
    let isOurs = false;
    const found = standingCopies(work, {
      ...rest,
      cluster,
      answers,
      syncOf: (object) => {
        const sync = syncOf(object);
        isOurs ||= sync !== undefined;
        return sync;
      },
    });
    if (isOurs) concerned.add(cluster);
    copies.push(...found.copies);
    young += found.young;
  }
  const clusters = [...concerned].sort();
  const unreachable = clusters.flatMap((cluster) => {
    const reason = silent.get(cluster);
    return reason === undefined ? [] : [{ cluster, reason }];
  });
  return { report: { copies: copies.sort(byObject), clusters, unreachable, leftOver: [], past: [] }, young };
}

/** Works come in the order of their names: a report must not hang on that. */
function byObject(a: CopyState, b: CopyState): number {
  const [left, right] = [a, b].map(
    ({ cluster, object }) => `${object.kind}/${object.namespace}/${object.name}/${cluster}`,
  );
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/** Why nothing new is known of a cluster; undefined when it answers. */
function whySilent(cluster: Cluster): string | undefined {
  const ready = findReady(cluster);
  if (ready?.status === "True") return undefined;
  return ready === undefined ? "nobody has looked at it yet" : `it is not ready: ${ready.message}`;
}

/** By the inventories of Syncs: labels of copies may be taken off. */
function indexSyncs(syncs: Iterable<Sync>, source: string): Parameters<typeof standingCopies>[1]["syncOf"] {
  const byObject = new Map<string, string>();
  const keyOfObject = (apiVersion: string, kind: string, namespace: string | undefined, name: string) =>
    `${parseApiVersion(apiVersion).group}/${kind}/${namespace ?? ""}/${name}`;
  for (const sync of syncs) {
    const { name, namespace = sync.metadata.namespace } = sync.spec.sourceRef;
    if (`${namespace}/${name}` !== source) continue;
    for (const entry of sync.status?.inventory?.entries ?? []) {
      const ref = refOfEntry(entry);
      if (ref !== undefined) byObject.set(keyOfObject(ref.apiVersion, ref.kind, ref.namespace, ref.name), keyOf(sync));
    }
  }
  return ({ apiVersion, kind, namespace, name }) => byObject.get(keyOfObject(apiVersion, kind, namespace, name));
}
