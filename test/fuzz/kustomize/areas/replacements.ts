// Replacements: paths of all forms, options, selectors, text in fields, and variables beside them.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { PLAIN_STYLE, RawYaml, randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";

export const replacements: Area = { name: "replacements", generate };

type Fields = { [key: string]: YamlValue | undefined };

function generate(random: Random): GeneratedKustomization {
  const files: Record<string, TreeFiles[string]> = {};
  const style = random.chance(0.7) ? PLAIN_STYLE : randomStyle(random);
  const objects = [source(random), target(random, "t1"), target(random, "t2")];
  files["b/r.yaml"] = objects.map((object) => writeYaml(object, random, style)).join("---\n");
  const base: Fields = { resources: ["r.yaml"] };
  if (random.chance(0.2)) base["namePrefix"] = "p-";
  if (random.chance(0.1)) base["commonLabels"] = { env: "prod" };
  if (random.chance(0.2)) base["configMapGenerator"] = [{ name: "gen", literals: ["a=1", "b=two"] }];
  if (random.chance(0.2)) base["replacements"] = entries(random, files, "b");
  files["b/kustomization.yaml"] = writeYaml(base, random, PLAIN_STYLE);
  const overlay: Fields = { resources: ["../b"] };
  if (random.chance(0.2)) overlay["nameSuffix"] = "-s";
  if (random.chance(0.15)) overlay["namespace"] = "two";
  overlay["replacements"] = entries(random, files, "o");
  if (random.chance(0.15)) addVars(random, files, overlay);
  files["o/kustomization.yaml"] = writeYaml(overlay, random, PLAIN_STYLE);
  return { path: "o", files };
}

// What is copied into a name with a prefix takes its own type, unless the name was quoted: no booleans for names.
const SCALARS: readonly YamlValue[] = [
  ...["text", "a.b.c", "5", "x: y", "yes", "two\nlines\n", "", "é", "# no comment", " lead"],
  ...[7, 0, -3, true, false, null, new RawYaml("1.50"), new RawYaml("1e3"), new RawYaml("0o17"), new RawYaml("010")],
  ...[new RawYaml("2020-01-01"), new RawYaml("~"), new RawYaml("0x1F"), new RawYaml("1_000")],
];

function source(random: Random): Fields {
  return {
    apiVersion: "example.org/v1",
    kind: "Source",
    metadata: { name: "src", namespace: random.chance(0.2) ? "one" : undefined, labels: { app: "src" } },
    spec: {
      text: random.pick(["hello", "a.b.c", "x/y/z", "1.2.3"]),
      scalar: random.pick(SCALARS),
      number: random.pick([5, 80, new RawYaml("1.5"), new RawYaml("0x10")]),
      map: { k: random.pick(SCALARS), l: ["a", "b"] },
      list: [{ name: "a", v: random.pick(SCALARS) }, { name: "ab", v: 2 }, "plain"],
      empty: random.pick<YamlValue>([{}, [], null, ""]),
      "dot.ted": "dotted",
    },
  };
}

const JSON_TEXTS = [
  '{"a": {"b": 1, "c": [1, 2]}, "s": "x"}',
  '{\n  "s": "x",\n  "a": {\n    "c": [1, 2.50, "t"], "b": "<&>"\n  }\n}\n',
  '{"s": "", "a": {"b": null, "c": [{"d": 1}, 1e3]}, "z": [true, "007"]}',
  "{a: {b: c, c: [d, 1]}, s: x}",
];
const YAML_TEXTS = [
  "a:\n  b: 1 # one\n  c:\n  - 1\n  - two\ns: 'single'\n",
  '# head\na:\n    b: "q"\n    c: [1, 2]\n\ns: text\n',
  "s: x\na: {b: y, c: [z, 1]}",
  "a:\n  # inner\n  b: yes\n  c:\n    - k: v\n    - 5 # five\n# before s\ns: |\n  two\n  lines\nz: null\n",
];
const ODD_TEXTS = ["just text", "", "a: [1, b: {}", "- a\n- b\n", "s: 1\n---\ns: 2\n", "a: &x {b: 1}\ns: *x\n"];

function target(random: Random, name: string): Fields {
  return {
    apiVersion: random.pick(["example.org/v1", "example.org/v2"]),
    kind: random.pick(["Target", "Target", "Other"]),
    metadata: {
      name,
      namespace: random.chance(0.3) ? random.pick(["one", "default"]) : undefined,
      labels: { app: name, tier: random.pick(["front", "back"]) },
      annotations: { "example.org/note": "old", plain: random.pick(["p", "a.b"]) },
    },
    spec: {
      text: random.pick(["old", "a.b.c", "img:1"]),
      scalar: random.pick(SCALARS),
      number: random.pick([1, new RawYaml("2.5"), "3"]),
      map: { k: "v", n: { deep: random.pick(SCALARS) } },
      list: [
        { name: "web", image: "web:1", env: [{ name: "A", value: "x" }] },
        { name: "web-2", port: 80 },
        { name: "db", image: random.pick(SCALARS) },
      ],
      args: ["-a", "b", 5, "web"],
      json: random.chance(0.04) ? random.pick(ODD_TEXTS) : random.pick(JSON_TEXTS),
      yaml: random.chance(0.04) ? random.pick(ODD_TEXTS) : random.pick(YAML_TEXTS),
      none: random.pick<YamlValue>([null, {}, []]),
    },
  };
}

const SOURCE_PATHS = [
  ...["spec.text", "spec.text", "spec.scalar", "spec.scalar", "spec.number", "spec.map", "spec.map.k", "spec.map.l"],
  ...["spec.list.0.v", "spec.list.[name=ab].v", "spec.list.[name=a].v", "spec.map.l.-", "spec.list.[=plain]"],
  ...["spec.dot\\.ted", "spec.[dot.ted]", "metadata.name", "metadata.namespace", "metadata.labels.app"],
  ...["spec.list", "kind"],
];
const ODD_SOURCE_PATHS = ["spec.empty", "spec.nope", "spec.list.9.v", "spec.list.*.v", "spec.text.x", "spec..text", ""];

// No anchors in patterns: kustomize holds them against the YAML of an element, of which quotes are a part.
const TARGET_PATHS = [
  ...["spec.text", "spec.scalar", "spec.number", "spec.map", "spec.map.k", "spec.map.n.deep", "spec.list.0.image"],
  ...["spec.list.*.name", "spec.list.[name=web].image", "spec.list.[name=web-2].port", "spec.list.[name=web-?].name"],
  ...["spec.list.[name=web].env.[name=A].value", "spec.args.0", "spec.args.[=b]", "spec.args.[=w]", "spec.args.*"],
  ...[
    "metadata.annotations.example\\.org/note",
    "metadata.annotations.[example.org/note]",
    "metadata.annotations.plain",
  ],
  ...[
    "metadata.labels.tier",

    "spec.json.s",
    "spec.json.a.b",
    "spec.json.a.c.0",
  ],
  ...[
    "spec.yaml.s",
    "spec.yaml.a.b",
    "spec.yaml.a.c.1",

    "spec.list",
    "spec.args",
  ],
];
const CREATED_PATHS = [
  ...["spec.new", "spec.new.x.y", "spec.new.0", "spec.new.[name=n].v", "spec.new.[=p]", "spec.list.3.v", "spec.args.4"],
  ...[
    "spec.list.[name=new].image",
    "spec.list.[name=web-2].env.[name=B].value",
    "spec.none.x",
    "spec.none.0",
    "metadata.labels.made",
  ],
  ...[
    "metadata.annotations.a\\.b/c",
    "spec.json.new",
    "spec.json.a.new",
    "spec.yaml.new",
    "spec.yaml.a.new",
    "spec.json.a.c.2",
  ],
  ...["spec.map.n.more", "spec.list.*.added"],
];
const ODD_TARGET_PATHS = [
  ...[
    "spec.nope",
    "spec.list.7.v",
    "spec.list.name",
    "spec.0",
    "spec.text.x",
    "spec.list.[name].x",
    "spec.list.[name=zz].v",
  ],
  ...["spec.*", "spec.scalar.x", "spec.list.-.name", "spec.map.[a=b]", "spec.", ".spec.text", "spec.list.*.image"],
];

function entries(random: Random, files: Record<string, TreeFiles[string]>, path: string): YamlValue[] {
  return Array.from({ length: 1 + random.below(2) }, (_, index) => {
    const made = entry(random);
    if (!random.chance(0.1)) return made;
    const file = `repl${index}.yaml`;
    files[`${path}/${file}`] = writeYaml(random.chance(0.5) ? { ...made } : made, random, PLAIN_STYLE);
    return { path: file };
  });
}

function entry(random: Random): Fields {
  const hasValue = random.chance(0.15);
  return {
    source: hasValue ? undefined : sourceOf(random),
    sourceValue: hasValue ? random.pick(["v", "5", "true", "", "a: b", "x\ny"]) : undefined,
    targets: Array.from({ length: 1 + random.below(2) }, () => targetOf(random)),
  };
}

function sourceOf(random: Random): Fields {
  const isTarget = random.chance(0.1);
  const withPart = random.chance(0.2);
  return {
    kind: isTarget ? undefined : "Source",
    name: isTarget ? "t1" : random.chance(0.5) ? "src" : undefined,
    version: random.chance(0.1) ? "v1" : undefined,
    namespace: random.chance(0.05) ? random.pick(["one", "default"]) : undefined,
    fieldPath: isTarget
      ? random.pick(["spec.text", "metadata.name", "spec.map"])
      : withPart
        ? "spec.text"
        : random.chance(0.03)
          ? random.pick(ODD_SOURCE_PATHS)
          : random.pick(SOURCE_PATHS),
    options: withPart
      ? { delimiter: random.pick([".", "/", "l"]), index: random.below(random.chance(0.8) ? 2 : 3) }
      : undefined,
  };
}

function targetOf(random: Random): Fields {
  const create = random.chance(0.3);
  const delimiter = !create && random.chance(0.2);
  const paths = random.chance(0.05)
    ? ODD_TARGET_PATHS
    : create
      ? [...TARGET_PATHS, ...CREATED_PATHS, ...CREATED_PATHS]
      : TARGET_PATHS;
  return {
    select: random.pick<Fields>([
      { kind: "Target" },
      { name: "t1" },
      { name: "t." },
      { kind: "Target|Other", group: "example\\..*" },
      { labelSelector: "tier=front" },
      { labelSelector: "app in (t1, t2), tier!=back" },
      { annotationSelector: "plain", kind: "Target" },
      { name: "(p-)?t2", version: "v[12]" },
      { namespace: random.pick(["one", "default", "two"]), name: "t.*" },
    ]),
    reject: random.chance(0.2)
      ? [
          random.pick<Fields>([
            { name: "t1" },
            { kind: "Other" },
            { labelSelector: "tier=back" },
            { name: "t2", labelSelector: "app=t1" },
          ]),
        ]
      : undefined,
    // A map in the place of a name leaves none, which kustomize notices too late: no default path.
    fieldPaths: Array.from({ length: 1 + random.below(2) }, () => random.pick(paths)),
    options: create
      ? { create: true }
      : delimiter
        ? { delimiter: random.pick([".", ":", "/"]), index: random.below(4) - 1 }
        : random.chance(0.05)
          ? { index: 2, encoding: "none" }
          : undefined,
  };
}

function addVars(random: Random, files: Record<string, TreeFiles[string]>, fields: Fields): void {
  fields["vars"] = [
    {
      name: "V",
      objref: { kind: "Source", name: "src", apiVersion: "example.org/v1" },
      fieldref: random.chance(0.9)
        ? { fieldPath: random.pick(["spec.text", "spec.number", "spec.list[1].v", "metadata.name", "spec.map"]) }
        : undefined,
    },
  ];
  fields["configurations"] = ["vars.yaml"];
  files["o/vars.yaml"] = writeYaml(
    { varReference: [{ path: random.pick(["spec/holder", "spec/holder/whole", "spec/texts"]), kind: "Holder" }] },
    random,
    PLAIN_STYLE,
  );
  files["o/holder.yaml"] = writeYaml(
    {
      apiVersion: "example.org/v1",
      kind: "Holder",
      metadata: { name: "h", annotations: { note: "$(V) and $$(V)" } },
      spec: { holder: { whole: "$(V)", part: "a-$(V)-$(W)", number: 5 }, texts: ["$(V)", "$$", "$(V"] },
    },
    random,
    PLAIN_STYLE,
  );
  fields["resources"] = ["../b", "holder.yaml"];
}
