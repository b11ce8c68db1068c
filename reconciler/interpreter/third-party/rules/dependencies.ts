import type { Dependency } from "../../interpreter.ts";

/** Each dependency once, by version, kind, namespace and name. For dependencies by name. */
export function distinctDependencies(dependencies: readonly Dependency[]): readonly Dependency[] {
  const byKey = new Map(dependencies.map((dependency) => [keyOf(dependency), dependency]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, dependency]) => dependency);
}

// No name of the parts has a character as small as the separator, so that shorter parts come first.
function keyOf({ apiVersion, kind, namespace, name }: Dependency): string {
  return [apiVersion, kind, namespace ?? "", name ?? ""].join("\0");
}
