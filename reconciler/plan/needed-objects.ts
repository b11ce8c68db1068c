// Which objects of a world others cannot do without.
import type { BindingSnapshot } from "../../api/work.ts";
import { type KubeObject, type ObjectRef, refKey } from "../../kube/object.ts";
import type { Dependency } from "../interpreter/interpreter.ts";
import { dependsOn } from "../works/dependencies.ts";

/** The objects of a world, for finding those that others need. */
export class NeededObjects {
  readonly #objects: ReadonlyMap<string, KubeObject>;
  readonly #ofKind: ReadonlyMap<string, readonly (readonly [string, KubeObject])[]>;

  constructor(outcomes: Iterable<{ readonly ref: ObjectRef; readonly template: KubeObject }>) {
    const objects = [...outcomes].map(({ ref, template }) => [refKey(ref), template] as const);
    this.#objects = new Map(objects);
    this.#ofKind = Map.groupBy(objects, ([, { kind, metadata }]) => `${kind}/${metadata.namespace ?? ""}`);
  }

  /** Keys of what these name or select, each once. */
  by(dependencies: readonly Dependency[]): ReadonlySet<string> {
    const found = new Set<string>();
    for (const dependency of dependencies) {
      const { apiVersion, kind, namespace, name = "" } = dependency;
      const key = refKey({ apiVersion, kind, namespace, name });
      const named = this.#objects.get(key);
      const some = name === "" ? this.#ofKind.get(`${kind}/${namespace ?? ""}`) : named && [[key, named] as const];
      for (const [each, object] of some ?? []) if (dependsOn(dependency, object)) found.add(each);
    }
    return found;
  }
}

/** Who needs an object, with these taking the place of what was known of the same bindings. */
export function withSnapshots(
  present: readonly BindingSnapshot[],
  fresh: readonly BindingSnapshot[],
): readonly BindingSnapshot[] {
  const keyOf = ({ namespace = "", name }: BindingSnapshot): string => `${namespace}/${name}`;
  const last = new Map(fresh.map((snapshot) => [keyOf(snapshot), snapshot]));
  return [...present.filter((snapshot) => !last.has(keyOf(snapshot))), ...last.values()];
}
