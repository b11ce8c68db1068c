// ConfigMaps and Secrets of every content, over several levels, with options, behaviors, namespaces and references.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { nastyText, quoted } from "../support/yaml-texts.ts";

export const generators: Area = { name: "generators", generate };

type Files = Record<string, TreeFiles[string]>;

/** An object that levels above may merge into. */
interface Known {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly namespace: string | undefined;
}

const NAMES = ["conf", "app", "it"];
const KINDS = ["ConfigMap", "Secret"] as const;

function generate(random: Random): GeneratedKustomization {
  const files: Files = {};
  let known: Known[] = [];
  const levels = 1 + random.below(3);
  for (let level = 0; level < levels; level++) {
    const folder = `l${level}`;
    const lines: string[] = [];
    const resources: string[] = level > 0 ? [`../l${level - 1}`] : [];
    if (level === 0 && random.chance(0.5)) {
      resources.push("r.yaml");
      files[`${folder}/r.yaml`] = written(known, random);
    }
    if (level === 0 && random.chance(0.5)) {
      resources.push("pod.yaml");
      files[`${folder}/pod.yaml`] = POD;
    }
    lines.push(`resources: [${resources.join(", ")}]`);
    if (random.chance(0.3)) lines.push(`namePrefix: ${random.pick(["p-", "q."])}`);
    if (random.chance(0.15)) lines.push("nameSuffix: -s");
    // A namespace for all would make objects of several namespaces one.
    if (random.chance(0.3)) lines.push(`generatorOptions: ${options(random)}`);
    if (random.chance(0.2)) lines.push("commonAnnotations: {added: x}");
    for (const kind of KINDS) {
      const entries = Array.from({ length: random.below(3) }, () => entry(kind, folder, files, known, random));
      const made = entries.filter((text) => text !== undefined);
      if (made.length > 0) lines.push(`${kind === "Secret" ? "secretGenerator" : "configMapGenerator"}:`, ...made);
    }
    if (level === 0 && lines.length === 1 && resources.length === 0) lines.push("namePrefix: x-");
    files[`${folder}/kustomization.yaml`] = `${lines.join("\n")}\n`;
    known = [...known];
  }
  return { path: `l${levels - 1}`, files };
}

/** ConfigMaps and Secrets as people write them, with values of every type. */
function written(known: Known[], random: Random): string {
  const values = ["1", "1e3", "true", "~", "", "0x1F", "2020-01-02", '"1"', "{a: b}", "text", "|\n    a\n    b"];
  return KINDS.map((kind) => {
    const name = random.pick(NAMES);
    known.push({ kind, name, namespace: undefined });
    const data = Array.from({ length: random.below(4) }, (_, i) => `  k${i}: ${random.pick(values)}\n`).join("");
    const metadata = `{name: ${name}${random.chance(0.3) ? ", labels: {a: 1, b: ~, z: w}" : ""}${random.chance(0.3) ? ", annotations: {a: true, c: d}" : ""}}`;
    const more = kind === "Secret" && random.chance(0.5) ? "stringData:\n  k0: new\n  k9: 5\n" : "";
    return `apiVersion: v1\nkind: ${kind}\nmetadata: ${metadata}\n${data === "" ? "" : `data:\n${data}`}${more}`;
  }).join("---\n");
}

function options(random: Random): string {
  const parts = [
    random.chance(0.4) && `labels: {a: ${quoted(nastyLine(random))}, g: '1'}`,
    random.chance(0.4) && `annotations: {${random.chance(0.03) ? "n" : "m"}: ${quoted(nastyText(random))}, o: 'true'}`,
    random.chance(0.3) && `disableNameSuffixHash: ${random.chance(0.6)}`,
    random.chance(0.2) && `immutable: ${random.chance(0.6)}`,
  ];
  return `{${parts.filter((part) => part !== false).join(", ")}}`;
}

function nastyLine(random: Random): string {
  return nastyText(random).replaceAll("\n", " ");
}

function entry(kind: Known["kind"], folder: string, files: Files, known: Known[], random: Random): string | undefined {
  const olds = known.filter((object) => object.kind === kind);
  const merges = olds.length > 0 && random.chance(0.6);
  const old = merges ? random.pick(olds) : undefined;
  const name = old?.name ?? random.pick(NAMES);
  const namespace = old === undefined ? random.pick([undefined, undefined, "n1", "default"]) : old.namespace;
  // The same id twice fails, as does an empty namespace beside the default one.
  const clash = olds.some(
    (object) => object.name === name && (object.namespace ?? "default") === (namespace ?? "default"),
  );
  if (!merges && clash) return undefined;
  if (!merges) known.push({ kind, name, namespace });
  const lines = [`- name: ${name}`];
  if (namespace !== undefined) lines.push(`namespace: ${namespace}`);
  if (merges) lines.push(`behavior: ${random.pick(["merge", "merge", "replace"])}`);
  else if (random.chance(0.1)) lines.push(`behavior: ${random.pick(["create", "''", "unknown"])}`);
  if (kind === "Secret" && random.chance(0.3))
    lines.push(`type: ${random.pick(["Opaque", "kubernetes.io/tls", "'1'", '""'])}`);
  if (random.chance(0.3)) lines.push(`options: ${options(random)}`);
  lines.push(...sources(folder, files, random));
  return lines.join("\n  ");
}

function sources(folder: string, files: Files, random: Random): string[] {
  // Few keys come twice within one entry, which is a fault.
  let counter = 0;
  const key = (): string => random.pick(["k", "key.", "a b", "é", "K-", "_", "k/"]) + counter++;
  const lines: string[] = [];
  const file = (content: TreeFiles[string]): string => {
    const path = `f${Object.keys(files).length}`;
    files[`${folder}/${path}`] = content;
    return path;
  };
  if (random.chance(0.7)) {
    const literals = random.list(
      4,
      () => `${key()}=${random.pick(["", "", "'", '"'])}${nastyText(random)}${random.pick(["", "", "'", '"'])}`,
    );
    lines.push(`literals: [${literals.map(quoted).join(", ")}]`);
  }
  if (random.chance(0.5)) {
    const entries = random.list(3, () => {
      const path = file(content(random));
      return random.chance(0.5) ? path : `${key()}=${path}`;
    });
    lines.push(`files: [${entries.map(quoted).join(", ")}]`);
  }
  if (random.chance(0.4)) {
    const text = random.list(6, () => envLine(key, random)).join(random.pick(["\n", "\r\n"]));
    const path = file(random.pick(["", "\ufeff"]) + text + random.pick(["", "\n", "\r\n", "\n\n"]));
    lines.push(random.chance(0.2) ? `env: ${path}` : `envs: [${path}]`);
  }
  return lines;
}

function envLine(key: () => string, random: Random): string {
  const line = random.pick(["", "# comment", " ", "\t", `${key()}`, `${key()}=`, `=x`]);
  if (random.chance(0.3)) return line;
  return `${random.pick(["", "", " ", "\u00a0"])}${key()}=${nastyLine(random)}`;
}

/** Texts, bytes that are none, and lengths about which base64 begins a new line. */
function content(random: Random): string | Uint8Array {
  switch (random.below(5)) {
    case 0:
      return Uint8Array.from({ length: random.below(120) }, () => random.below(256));
    case 1:
      return "x".repeat(random.pick([0, 1, 51, 52, 53, 104, 105, 106, 300]));
    case 2:
      return Array.from({ length: random.below(6) }, () => nastyLine(random)).join("\n");
    default:
      return nastyText(random) + random.pick(["", "\n", "\n\n", " \n"]);
  }
}

const POD = `apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  volumes:
${NAMES.map((name) => `  - {name: c-${name}, configMap: {name: ${name}}}\n  - {name: s-${name}, secret: {secretName: ${name}}}\n`).join("")}`;
