// Patches and selectors that fit an object.
import type { Random } from "../../../../runtime/random.ts";
import { RawYaml, type YamlValue } from "../support/yaml-writer.ts";
import type { KnownObject } from "./mixed.ts";

export type Fields = { readonly [key: string]: YamlValue | undefined };

/** A selector that finds the object, by its exact identity or by patterns and labels. */
export function selectorFor(object: KnownObject, random: Random): Fields {
  const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", object.apiVersion];
  const kind = object.kind;
  return random.pick<() => Fields>([
    () => ({ kind, name: object.name }),
    () => ({ kind, name: object.current }),
    () => ({ group: group === "" ? undefined : group, version, kind, name: object.name }),
    () => ({ kind }),
    () => ({ kind: random.pick([".*Set", "Deployment|ConfigMap", "Conf.*"]) }),
    () => ({ name: random.pick([`${object.name}.*`, ".*", `(${object.name}|db)`, "[a-d].*"]), kind }),
    () => ({ labelSelector: random.pick(["app=web", "app in (web,db)", "tier", "app!=web"]), kind }),
    () => ({ annotationSelector: "note=plain", kind }),
    () => ({ kind, namespace: random.pick(["one", "default", "t.*"]) }),
  ])();
}

const WITH_TEMPLATE = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"];

/** Operations that an object of the kind can take, mostly. */
export function jsonOperations(random: Random, kind: string): readonly Fields[] {
  const anywhere: readonly (() => Fields)[] = [
    () => ({ op: "add", path: "/metadata/labels", value: { patched: "yes" } }),
    () => ({ op: "add", path: "/metadata/annotations", value: { a: "1", b: new RawYaml("'2'") } }),
    () => ({
      op: "add",
      path: "/extra",
      value: random.pick<YamlValue>([{ deep: [1, { x: null }] }, [], 1.5, 1e21, "text"]),
    }),
    () => ({ op: "test", path: "/kind", value: kind }),
    () => ({ op: "replace", path: "/metadata/name", value: random.pick(["renamed", "app"]) }),
    // Not the whole metadata: the copy would show kustomize's notes to itself.
    () => ({ op: "copy", from: "/metadata/name", path: "/copied" }),
  ];
  const inTemplate: readonly (() => Fields)[] = [
    () => ({ op: "replace", path: "/spec/template/spec/containers/0/image", value: "patched:1" }),
    () => ({ op: "add", path: "/spec/template/spec/containers/-", value: { name: "added", image: "nginx" } }),
    () => ({ op: "add", path: "/spec/template/spec/containers/0/env", value: [{ name: "A", value: "b" }] }),
    () => ({ op: "add", path: "/spec/replicas", value: random.below(9) }),
    () => ({ op: "move", from: "/spec/template/spec/containers/0/name", path: "/spec/template/spec/containers/0/was" }),
    ...(random.chance(0.2) ? [() => ({ op: "remove", path: "/spec/template/spec/containers/0" })] : []),
  ];
  const inData: readonly (() => Fields)[] = [
    () => ({ op: "add", path: "/data", value: { k: random.pick(["new", "line\nline\n", "007"]) } }),
    () => ({ op: "add", path: "/data/a~1b", value: "x" }),
  ];
  // Renaming is for the areas of patches and references: two objects soon have one name.
  const general = random.chance(0.1) ? anywhere : anywhere.filter((_, index) => index !== 4);
  const fitting = WITH_TEMPLATE.includes(kind)
    ? [...inTemplate, ...general]
    : kind === "ConfigMap"
      ? [...inData, ...general]
      : general;
  return Array.from({ length: 1 + random.below(2) }, () => random.pick(fitting)());
}

/** A strategic merge patch for the object. */
export function mergePatch(random: Random, object: KnownObject): Fields {
  const { apiVersion, kind, namespace } = object;
  // Before the prefix both names are known; the current one less often to the author of a patch.
  const name = random.chance(0.7) ? object.name : object.current;
  const head = { apiVersion, kind, metadata: { name, namespace } };
  if (random.chance(0.06)) return { ...head, $patch: "delete" };
  const metadata = {
    ...head.metadata,
    labels: random.chance(0.4) ? { merged: "yes", app: random.pick<YamlValue>([null, "changed"]) } : undefined,
    annotations: random.chance(0.2) ? { merged: "true" } : undefined,
  };
  if (WITH_TEMPLATE.includes(kind)) return { ...head, metadata, spec: { ...specPatch(random) } };
  if (kind === "ConfigMap") {
    return {
      ...head,
      metadata,
      data: {
        k: random.pick<YamlValue>([null, "merged"]),
        more: "x",
        ...(random.chance(0.15) && { $patch: "replace" }),
      },
    };
  }
  if (kind === "Service") return { ...head, metadata, spec: { ports: [{ port: 80, name: "merged" }, { port: 82 }] } };
  if (kind === "Widget")
    return {
      ...head,
      metadata,
      spec: { parts: [{ name: "b", value: "merged" }], size: random.pick<YamlValue>([null, 4]) },
    };
  if (kind === "Ingress") return { ...head, metadata, spec: { rules: [{ host: "merged" }] } };
  return { ...head, metadata };
}

function specPatch(random: Random): Fields {
  const container = random.pick<() => Fields>([
    () => ({ name: "main", image: "merged:1" }),
    () => ({
      name: "main",
      env: [
        { name: "TEXT", value: "merged" },
        { name: "NEW", value: "x" },
      ],
    }),
    () => ({ name: "main", ports: [{ containerPort: 8080, protocol: "TCP" }, { containerPort: 9 }] }),
    () => ({ name: "side", $patch: "delete" }),
    () => ({ name: "new", image: "new" }),
    () => ({ name: "main", args: ["only"], command: null }),
    () => ({ name: "main", resources: { limits: { cpu: "2", $patch: random.pick(["replace", "merge"]) } } }),
  ]);
  const containers = Array.from({ length: 1 + random.below(2) }, container);
  const volumes = random.chance(0.3)
    ? [{ name: "v", $patch: random.chance(0.3) ? "delete" : undefined, emptyDir: {} }]
    : undefined;
  return {
    replicas: random.chance(0.3) ? random.below(5) : undefined,
    template: {
      spec: {
        containers: random.chance(0.05) ? [...containers, { $patch: "replace" }] : containers,
        volumes,
        nodeSelector: random.chance(0.15) ? { $patch: "delete" } : undefined,
      },
    },
  };
}
