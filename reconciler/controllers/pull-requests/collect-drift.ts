// What is known at present of the drift of everything that comes from one source: from the records on Works, so that no
// member has to be asked, and those with an agent are told of as well.
import type { Cluster } from "../../../api/cluster.ts";
import type { GitRepository, Sync } from "../../../api/gitops.ts";
import type { Work } from "../../../api/work.ts";
import { type ObjectRef, parseApiVersion } from "../../../kube/object.ts";
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
  const syncs = syncsOfSource(informers.of<Sync>(GITOPS_API, "Sync").all(), keyOf(source));
  const all = new Map([...informers.of<Cluster>(CLUSTER_API, "Cluster").all()].map((one) => [one.metadata.name, one]));
  const silent = new Map([...all].map(([name, cluster]) => [name, whySilent(cluster)]));
  const good: CopyState[] = [];
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
        const sync = syncs.of(object);
        isOurs ||= sync !== undefined;
        return sync === undefined ? undefined : keyOf(sync);
      },
    });
    if (isOurs) concerned.add(cluster);
    for (const copy of found.copies) (copy.state === "as-wanted" ? good : copies).push(copy);
    young += found.young;
  }
  const clusters = [...concerned].sort();
  const unreachable = clusters.flatMap((cluster) => {
    const reason = silent.get(cluster);
    return reason === undefined ? [] : [{ cluster, reason }];
  });
  // Those that are as wanted are counted, and may be very many.
  return {
    report: { copies: [...copies.sort(byObject), ...good], clusters, unreachable, leftOver: [], past: [] },
    young,
  };
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

/** The Syncs of one source, by what they apply. */
export interface SyncsOfSource {
  of(object: ObjectRef): Sync | undefined;
  find(named: { readonly group: string; readonly kind: string; readonly name: string }): ObjectRef[];
}

/** By the inventories of Syncs, since labels of copies may be taken off; `source` is `namespace/name`. */
export function syncsOfSource(syncs: Iterable<Sync>, source: string): SyncsOfSource {
  const applied = new Map<string, { readonly ref: ObjectRef; readonly sync: Sync }>();
  for (const sync of syncs) {
    const { name, namespace = sync.metadata.namespace } = sync.spec.sourceRef;
    if (`${namespace}/${name}` !== source) continue;
    for (const entry of sync.status?.inventory?.entries ?? []) {
      const ref = refOfEntry(entry);
      if (ref !== undefined) applied.set(versionlessKey(ref), { ref, sync });
    }
  }
  return {
    of: (object) => applied.get(versionlessKey(object))?.sync,
    find: ({ group, kind, name }) =>
      Array.from(applied.values(), ({ ref }) => ref).filter(
        (ref) => ref.kind === kind && ref.name === name && parseApiVersion(ref.apiVersion).group === group,
      ),
  };
}

function versionlessKey({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return `${parseApiVersion(apiVersion).group}/${kind}/${namespace ?? ""}/${name}`;
}
