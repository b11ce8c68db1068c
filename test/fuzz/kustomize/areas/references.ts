// Names that objects use for one another: every built-in reference, through prefixes, suffixes, hashes and namespaces.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import {
  apiVersionOf,
  CLUSTER_SCOPED,
  fillSpec,
  kindFor,
  type Reference,
  randomReference,
} from "../support/spec-objects.ts";
import { PLAIN_STYLE, randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";

export const references: Area = { name: "references", generate };

type Fields = { [key: string]: YamlValue | undefined };

const NAMES = ["a", "b", "p-a", "default"];
const NAMESPACES = ["one", "two", "default"];

interface Level {
  readonly path: string;
  readonly ids: Set<string>;
}

function generate(random: Random): GeneratedKustomization {
  const files: Record<string, TreeFiles[string]> = {};
  const rows = Array.from({ length: 1 + random.below(4) }, () => randomReference(random));
  const shape = random.below(4);
  const levels: Level[] = [];
  if (shape === 0) levels.push(directory(random, files, "o", [], rows));
  else {
    const bases = Array.from({ length: 1 + random.below(2) }, (_, index) =>
      directory(random, files, `b${index}`, [], rows),
    );
    // The same base under several names is what real overlays do.
    const middles = Array.from({ length: 1 + random.below(3) }, (_, index) =>
      directory(random, files, `m${index}`, [random.pick(bases)], rows, index),
    );
    directory(random, files, "o", shape === 1 ? bases : middles, rows);
  }
  return { path: "o", files };
}

function directory(
  random: Random,
  files: Record<string, TreeFiles[string]>,
  path: string,
  below: readonly Level[],
  rows: readonly Reference[],
  unique?: number,
): Level {
  const ids = new Set<string>();
  const resources: string[] = [...new Set(below.map((level) => `../${level.path}`))];
  const fields: Fields = {};
  if (below.length === 0 || random.chance(0.5)) {
    const objects = objectsFor(random, rows, ids);
    const style = random.chance(0.7) ? PLAIN_STYLE : randomStyle(random);
    files[`${path}/r.yaml`] = objects.map((object) => writeYaml(object, random, style)).join("---\n");
    if (objects.length > 0) resources.push("r.yaml");
  }
  if (unique !== undefined) fields["namePrefix"] = `m${unique}-`;
  else if (random.chance(0.4)) fields["namePrefix"] = random.pick(["p-", "q-"]);
  if (random.chance(0.3)) fields["nameSuffix"] = random.pick(["-s", "-t"]);
  if (random.chance(0.2)) fields["namespace"] = random.pick(NAMESPACES);
  if (random.chance(0.3)) addGenerator(random, fields, path);
  if (random.chance(0.15)) addConfiguration(random, files, path, fields, rows);
  if (random.chance(0.15)) fields["patches"] = [renamingPatch(random, rows)];
  files[`${path}/kustomization.yaml`] = writeYaml({ resources, ...fields }, random, PLAIN_STYLE);
  return { path, ids };
}

/** A target and a referrer for each row, some more of both. */
function objectsFor(random: Random, rows: readonly Reference[], ids: Set<string>): Fields[] {
  const objects: Fields[] = [];
  const add = (object: Fields | undefined): void => {
    if (object !== undefined) objects.push(object);
  };
  for (const row of rows) {
    const { target } = row;
    for (let i = 0; i < 1 + random.below(2); i++) {
      add(newObject(random, target.kind, apiVersionOf(target.kind, random, { path: "", ...target }), ids));
    }
    const kind = kindFor(row, random);
    const referrer = newObject(random, kind, apiVersionOf(kind, random, row), ids);
    if (referrer === undefined) continue;
    for (const other of rows) if ((other.kind ?? kind) === kind) fillReference(random, referrer, other);
    add(referrer);
  }
  return objects;
}

function newObject(random: Random, kind: string, apiVersion: string, ids: Set<string>): Fields | undefined {
  const name = random.pick(NAMES);
  const namespace = CLUSTER_SCOPED.has(kind) || random.chance(0.6) ? undefined : random.pick(NAMESPACES);
  const id = `${apiVersion} ${kind} ${name} ${CLUSTER_SCOPED.has(kind) ? "" : (namespace ?? "default")}`;
  if (ids.has(id)) return undefined;
  ids.add(id);
  const annotations = random.chance(0.05) ? { "config.kubernetes.io/local-config": "true" } : undefined;
  return { apiVersion, kind, metadata: { name, namespace, annotations } };
}

function fillReference(random: Random, referrer: Fields, row: Reference): void {
  if (row.path.startsWith("metadata/")) return;
  if (row.path.endsWith("roleRef/name") && referrer["roleRef"] === undefined) {
    referrer["roleRef"] = {
      apiGroup: random.chance(0.9) ? "rbac.authorization.k8s.io" : undefined,
      kind: random.chance(0.9) ? random.pick(["Role", "ClusterRole"]) : undefined,
    };
  }
  fillSpec(referrer, row, random, () => leafOf(random, row));
}

function leafOf(random: Random, row: Reference): YamlValue {
  const last = row.path.split("/").at(-1);
  if (last === "subjects") {
    return random.list(3, () => ({
      kind: random.pick(["ServiceAccount", "User"]),
      name: random.pick(NAMES),
      namespace: random.chance(0.5) ? random.pick(NAMESPACES) : undefined,
    }));
  }
  if (last === "resourceNames") return random.list(3, () => random.pick(NAMES));
  if (last === "service" || last === "claimRef" || last === "clientConfig") {
    return { name: random.pick(NAMES), namespace: random.chance(0.5) ? random.pick(NAMESPACES) : undefined };
  }
  return random.pick(NAMES);
}

function addGenerator(random: Random, fields: Fields, path: string): void {
  const field = random.pick(["configMapGenerator", "secretGenerator"]);
  fields[field] = [
    {
      name: random.pick(["a", "b", `gen-${path}`]),
      namespace: random.chance(0.2) ? random.pick(NAMESPACES) : undefined,
      literals: ["k=v"],
      behavior: random.chance(0.15) ? random.pick(["create", "create", "merge"]) : undefined,
      options: random.chance(0.2) ? { disableNameSuffixHash: true } : undefined,
    },
  ];
}

function addConfiguration(
  random: Random,
  files: Record<string, TreeFiles[string]>,
  path: string,
  fields: Fields,
  rows: readonly Reference[],
): void {
  const row = random.pick(rows);
  const spec = {
    path: random.pick(["spec/ref", "spec/ref/name", "spec/refs/name", "spec/more[]/name"]),
    kind: random.pick(["Widget", "Deployment"]),
  };
  const configuration: YamlValue = {
    nameReference: [{ kind: random.pick([row.target.kind, "Widget"]), fieldSpecs: [spec] }],
    ...(random.chance(0.3) && {
      namePrefix: [{ path: "metadata/name", kind: random.pick([row.target.kind, "Widget"]) }],
    }),
  };
  const widget = {
    apiVersion: "example.org/v1",
    kind: "Widget",
    metadata: { name: `w-${path}` },
    spec: {
      ref: random.pick<YamlValue>([random.pick(NAMES), { name: random.pick(NAMES) }, { name: "a", namespace: "one" }]),
      refs: [{ name: random.pick(NAMES) }, { name: random.pick(NAMES) }],
      more: [{ name: random.pick(NAMES) }],
    },
  };
  // A map without a name where the specs want one would fail each time.
  if (spec.path === "spec/ref/name") widget.spec.ref = { name: random.pick(NAMES) };
  files[`${path}/config.yaml`] = writeYaml(configuration, random, PLAIN_STYLE);
  fields["configurations"] = ["config.yaml"];
  files[`${path}/w/kustomization.yaml`] = "resources: [w.yaml]\n";
  files[`${path}/w/w.yaml`] = writeYaml(widget, random, PLAIN_STYLE);
  fields["components"] = ["c"];
  files[`${path}/c/kustomization.yaml`] = writeYaml(
    { apiVersion: "kustomize.config.k8s.io/v1alpha1", kind: "Component", resources: ["../w"] },
    random,
    PLAIN_STYLE,
  );
}

function renamingPatch(random: Random, rows: readonly Reference[]): YamlValue {
  const { target } = random.pick(rows);
  const op = [{ op: "replace", path: "/metadata/name", value: random.pick(["a", "z", "p-a"]) }];
  return { target: { kind: target.kind, name: random.pick(NAMES) }, patch: JSON.stringify(op) };
}
