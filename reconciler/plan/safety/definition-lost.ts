// Definitions of kinds that go, and versions of them that are still in use.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { isObject, type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { count, objectName } from "../../reports/words.ts";
import { about, isOfKind, type ReviewedChange, specOf } from "./reviewed-change.ts";

const DEFINITION = "apiextensions.k8s.io/CustomResourceDefinition";

/** All objects of a kind go with its definition: from the control plane, and from every cluster that loses its copy. */
export function definitionRemoved(change: ReviewedChange): readonly ReportFinding[] {
  const removed = new Set(change.removed.map(({ object }) => refKey(object)));
  const leaving = Map.groupBy(
    change.plan.changes.filter(({ object, change: what }) => what === "deleted" && isOfKind(object, DEFINITION)),
    ({ object }) => refKey(object),
  );
  const refs = new Map<string, ObjectRef>();
  for (const { object } of change.removed) if (isOfKind(object, DEFINITION)) refs.set(refKey(object), object);
  for (const [key, [first]] of leaving) if (first !== undefined) refs.set(key, first.object);
  return [...refs].map(([key, ref]) => {
    const clusters = (leaving.get(key) ?? []).map(({ cluster }) => cluster);
    const { kind, objects } = instancesOf(change, key);
    const where = removed.has(key)
      ? clusters.length === 0
        ? ""
        : " and from its clusters"
      : " from the clusters that it leaves";
    const others = `${kind} objects that clusters have by themselves`;
    const many = `${count(objects.length, `${kind} object`)}${objects.length === 0 ? "" : ` of the control plane (${someNames(objects)})`}`;
    return {
      rule: removed.has(key) ? "crd-removed" : "crd-leaves-cluster",
      severity: objects.length > 0 ? "error" : "warning",
      ...about(change, ref),
      ...(clusters.length === 0 ? {} : { clusters }),
      message:
        objects.length > 0
          ? `${many} and all ${others} are deleted with ${objectName(ref)}${where}: servers keep no object without its definition`
          : `all ${others} are deleted with ${objectName(ref)}${where}`,
      advice: "keep the definition, or take the objects away first, in a change of their own",
    };
  });
}

/** Versions that are no longer served while something is written in them, or stored in them. */
export function definitionVersionRemoved(change: ReviewedChange): readonly ReportFinding[] {
  return change.desired.flatMap(({ object, before }): ReportFinding[] => {
    if (before === undefined || !isOfKind(object, DEFINITION)) return [];
    const served = new Set(versionsOf(object).filter(isServed).map(nameOf));
    const present = new Set(versionsOf(object).map(nameOf));
    const { group, kind } = namesOf(object);
    const stored = storedVersions(before).filter((version) => !present.has(version));
    const lost = versionsOf(before)
      .filter(isServed)
      .map(nameOf)
      .filter((name) => !served.has(name));
    return [
      ...stored.map(
        (version): ReportFinding => ({
          rule: "crd-version-removed",
          severity: "error",
          ...about(change, refOf(object)),
          field: "spec.versions",
          message: `the new definition of ${kind} is refused: objects may still be stored in version ${version}, which status.storedVersions names`,
          advice: `keep version ${version} with served: false until every object is stored anew and status.storedVersions is without it`,
        }),
      ),
      ...lost.flatMap((version): ReportFinding[] => {
        const users = usersOf(change, { apiVersion: `${group}/${version}`, kind });
        if (users.length === 0) return [];
        return [
          {
            rule: "crd-version-removed",
            severity: "error",
            ...about(change, refOf(object)),
            field: "spec.versions",
            message: `${count(users.length, `${kind} object`)} can no longer be applied (${someNames(users)}): ${users.length === 1 ? "it is" : "they are"} written in version ${version}, which is served no longer`,
            advice: `serve ${version} until they are written in ${served.size === 0 ? "another version" : `version ${[...served].join(" or ")}`}`,
          },
        ];
      }),
    ];
  });
}

function instancesOf({ before }: ReviewedChange, key: string): { kind: string; objects: readonly ObjectRef[] } {
  const definition = before.world.templates.find((template) => refKey(refOf(template)) === key);
  const { group, kind } = namesOf(definition);
  const objects = before.world.templates.filter((template) => isOfKind(template, `${group}/${kind}`)).map(refOf);
  return { kind, objects };
}

function usersOf({ rendered, after }: ReviewedChange, used: Pick<ObjectRef, "apiVersion" | "kind">): ObjectRef[] {
  const all = [...rendered, ...after.world.templates.map(refOf)].filter(
    ({ apiVersion, kind }) => apiVersion === used.apiVersion && kind === used.kind,
  );
  return [...new Map(all.map((ref) => [refKey(ref), ref])).values()];
}

function namesOf(definition: KubeObject | undefined): { group: string; kind: string } {
  const { group, names } = specOf(definition);
  const kind = isObject(names) && typeof names["kind"] === "string" ? names["kind"] : "custom";
  return { group: typeof group === "string" ? group : "", kind };
}

function versionsOf(definition: KubeObject): readonly Record<string, unknown>[] {
  const { versions } = specOf(definition);
  return Array.isArray(versions) ? versions.filter(isObject) : [];
}

function isServed({ served }: Record<string, unknown>): boolean {
  return served === true;
}

function nameOf({ name }: Record<string, unknown>): string {
  return typeof name === "string" ? name : "";
}

function storedVersions(definition: KubeObject): readonly string[] {
  const status = definition["status"];
  const stored = isObject(status) ? status["storedVersions"] : undefined;
  return Array.isArray(stored) ? stored.filter((version) => typeof version === "string") : [];
}

const NAMED = 3;

function someNames(refs: readonly ObjectRef[]): string {
  const names = refs.slice(0, NAMED).map(({ namespace, name }) => (namespace ? `${namespace}/${name}` : name));
  return refs.length > NAMED ? `${names.join(", ")} and ${refs.length - NAMED} more` : names.join(", ");
}
