// Values copied between objects: replacements and the older vars.

import { writeYaml } from "../support/yaml-writer.ts";
import type { Directory, KnownObject, Repository } from "./mixed.ts";
import { file } from "./mixed-fields.ts";
import { type Fields, selectorFor } from "./mixed-patches.ts";

/** Adds replacements, inline or from a file. */
export function addReplacements(directory: Directory, repository: Repository): void {
  const { random } = repository;
  if (directory.objects.length < 2 || !random.chance(0.2)) return;
  const entry = replacement(directory, repository);
  if (random.chance(0.7)) {
    directory.fields["replacements"] = [entry];
    return;
  }
  const text = writeYaml(random.chance(0.5) ? entry : [entry], random, { flow: 0.1, comments: 0 });
  directory.fields["replacements"] = [{ path: file(directory, repository, text) }];
}

function replacement(directory: Directory, { random }: Repository): Fields {
  const from = uniquelyNamed(directory.objects, random.pick(directory.objects));
  const to = random.pick(directory.objects);
  const field = random.pick([
    "metadata.name",
    undefined,
    "kind",
    ...(from.kind === "ConfigMap" && random.chance(0.5) ? ["data.k"] : []),
  ]);
  const [group, version] = from.apiVersion.includes("/") ? from.apiVersion.split("/") : [undefined, from.apiVersion];
  const source = { group, version, kind: from.kind, name: from.name, namespace: from.namespace, fieldPath: field };
  const hasTemplate = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"].includes(to.kind);
  const target = random.pick<() => Fields>([
    () => ({ fieldPaths: ["metadata.annotations.copied"], options: { create: true } }),
    () => ({ fieldPaths: ["metadata.labels.[example.org/copied]"], options: { create: true } }),
    () => ({ fieldPaths: ["spec.template.spec.containers.*.image"], options: { create: true } }),
    () => ({
      fieldPaths: ["spec.template.spec.containers.[name=main].env.[name=ADDED].value"],
      options: { create: true },
    }),
    ...(random.chance(0.3)
      ? [() => ({ fieldPaths: ["metadata.name"], options: { delimiter: "-", index: random.pick([-1, 0, 9]) } })]
      : []),
  ])();
  const value = random.chance(0.15) ? { sourceValue: "given" } : { source };
  const reject = random.chance(0.15) ? [{ kind: "Secret" }] : undefined;
  return {
    ...value,
    targets: [
      {
        select: hasTemplate || random.chance(0.4) ? { kind: to.kind, name: to.name } : selectorFor(to, random),
        reject,
        ...target,
      },
    ],
  };
}

/** An object that its first name tells from all others, where there is one. */
function uniquelyNamed(objects: readonly KnownObject[], wish: KnownObject): KnownObject {
  const isUnique = (object: KnownObject): boolean =>
    objects.filter((other) => other.kind === object.kind && [object.name, object.current].includes(other.name))
      .length === 1;
  return isUnique(wish) ? wish : (objects.find(isUnique) ?? wish);
}

/** Adds a variable of those that texts of the repository use. */
export function addVars(directory: Directory, repository: Repository): void {
  const { random, pool } = repository;
  const free = pool.variables[repository.variables];
  if (free === undefined || directory.objects.length === 0 || !random.chance(0.5)) return;
  const object = uniquelyNamed(directory.objects, random.pick(directory.objects));
  repository.variables++;
  const fieldPath = random.pick([
    undefined,
    "metadata.name",
    "kind",
    ...(object.kind === "Deployment" ? ["spec.template.spec.containers[0].name"] : []),
  ]);
  directory.fields["vars"] = [
    {
      name: free,
      objref: { apiVersion: object.apiVersion, kind: object.kind, name: object.name, namespace: object.namespace },
      fieldref: fieldPath === undefined ? undefined : { fieldPath },
    },
  ];
}
