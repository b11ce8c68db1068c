// Syncs that go, or apply another folder than before: what of theirs goes with it.
import type { Sync } from "../../../api/gitops.ts";
import type { ReportFinding } from "../../../api/plan-report.ts";
import { type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { count } from "../../reports/words.ts";
import type { SyncPrune } from "../prunes.ts";
import { about, isOfKind, type ReviewedChange } from "./reviewed-change.ts";

const SYNC = "gitops.flaghoist.io/Sync";

export function syncChanged(change: ReviewedChange): readonly ReportFinding[] {
  const prunes = new Map(change.prunes.map((prune) => [refKey(refOf(prune.sync)), prune]));
  const gone = new Set(change.removed.map(({ object }) => refKey(object)));
  const going = (prune: SyncPrune | undefined): number | undefined =>
    prune?.removed.filter((ref) => gone.has(refKey(ref))).length;
  const removed = change.removed.flatMap(({ object }): ReportFinding[] => {
    if (!isOfKind(object, SYNC)) return [];
    const prune = prunes.get(refKey(object));
    const name = `Sync ${object.namespace ?? ""}/${object.name}`;
    const { deletionPolicy, prune: prunesAtAll } = prune?.sync.spec ?? {};
    const known = going(prune);
    const stays = deletionPolicy === "Orphan" || prunesAtAll === false;
    return [
      {
        rule: "sync-removed",
        severity: stays || known === 0 ? "warning" : "error",
        ...about(change, object),
        message: stays
          ? `what ${name} applied stays and is looked after no longer: the Sync goes, and its ${deletionPolicy === "Orphan" ? "spec.deletionPolicy is Orphan" : "spec.prune is false"}`
          : `${known === undefined ? `everything that ${name} applied` : count(known, "object")} ${known === undefined || known === 1 ? "is" : "are"} deleted: ${known === undefined ? "the Sync" : name} goes, and its objects go with it`,
        advice: "set spec.deletionPolicy: Orphan first, in a change of its own, when the objects are to stay",
      },
    ];
  });
  const moved = change.desired.flatMap(({ object, before }): ReportFinding[] => {
    if (before === undefined || !isOfKind(object, SYNC)) return [];
    const what = whatMoved(before, object);
    if (what === undefined) return [];
    const known = going(prunes.get(refKey(refOf(object))));
    const { name, namespace } = object.metadata;
    return [
      {
        rule: "sync-moved",
        severity: known === 0 ? "notice" : "warning",
        ...about(change, refOf(object)),
        field: what.field,
        message: `Sync ${namespace}/${name} applies ${what.after} instead of ${what.before}${known === undefined ? ", and prunes what is only there" : `: ${count(known, "object")} ${known === 1 ? "is" : "are"} deleted that ${known === 1 ? "is" : "are"} only there`}`,
        advice: "set spec.prune: false for this change when nothing is to be deleted",
      },
    ];
  });
  return [...removed, ...moved];
}

function whatMoved(
  before: KubeObject,
  after: KubeObject,
): { field: string; before: string; after: string } | undefined {
  // Kinds of this name have this type.
  const [old, fresh] = [before, after].map((object) => (object as unknown as Sync).spec);
  const source = (spec: Sync["spec"] | undefined): string => {
    const { kind = "", namespace, name = "" } = spec?.sourceRef ?? {};
    return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  };
  if (source(old) !== source(fresh)) return { field: "spec.sourceRef", before: source(old), after: source(fresh) };
  const folder = (spec: Sync["spec"] | undefined): string =>
    `folder ${(spec?.path ?? "").replace(/^\.?\/+|\/+$/g, "") || "."}`;
  if (folder(old) === folder(fresh)) return undefined;
  return { field: "spec.path", before: folder(old), after: folder(fresh) };
}
