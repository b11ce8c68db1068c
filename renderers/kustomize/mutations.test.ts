import { describe, expect, it } from "vitest";
import { Random } from "../../runtime/random.ts";
import { testSeed } from "../../test/seed.ts";
import { MemoryTree } from "../memory-tree.ts";
import { renderKustomization } from "./render.ts";

const CASES = Number(process.env["TEST_CASES"] ?? 400);

const REPOSITORY: Readonly<Record<string, string>> = {
  "base/kustomization.yaml": `resources: [deployment.yaml, list.yaml]
commonLabels: {team: a}
configurations: [config.yaml]
crds: [crd.yaml]
vars:
- name: V
  objref: {apiVersion: v1, kind: Service, name: web}
  fieldref: {fieldPath: "spec.ports[0].port"}
`,
  "base/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: &l {app: web}}
spec:
  replicas: 2
  template:
    metadata: {labels: *l}
    spec:
      containers:
      - name: web
        image: nginx:1.25
        args: ["$(V)", "a\\tb"]
        env: [{name: A, valueFrom: {configMapKeyRef: {name: made, key: a}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, name: http}]}
`,
  "base/list.yaml": `kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: r},
   subjects: [{kind: ServiceAccount, name: default}], roleRef: {kind: Role, name: x}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: text}
  data:
    a.json: '{"a": {"b": "c"}}'
    b.yaml: |
      a:
        b: c # why
`,
  "base/config.yaml": "namePrefix: [{path: metadata/name}]\nnameReference: [{kind: Role, fieldSpecs: [{path: a/b}]}]\n",
  "base/crd.yaml": "a.v1.X: {Schema: {properties: {apiVersion: {}, kind: {}, metadata: {}, spec: {$ref: a.v1.Y}}}}\n",
  "top/kustomization.yaml": `resources: [../base]
components: [../component]
namespace: team
namePrefix: p-
labels: [{pairs: {a: b}, includeSelectors: true, fields: [{path: "x/y[]/z", create: true}]}]
configMapGenerator: [{name: made, literals: ["a=b"], files: ["f=f.txt"], envs: [e.env], options: {labels: {x: z}}}]
secretGenerator: [{name: sec, literals: ["p='q'"], type: x}]
images: [{name: nginx, newTag: "2", digest: sha256:abc}]
replicas: [{name: web, count: 3}]
replacements:
- source: {kind: Service, name: web, fieldPath: "spec.ports.[name=http].port", options: {delimiter: "8", index: 1}}
  targets:
  - select: {kind: ConfigMap}
    reject: [{name: "s.*"}]
    fieldPaths: [data.a\\.json.a.b, data.new]
    options: {create: true}
patches:
- path: merge.yaml
- target: {kind: Deploy.*, labelSelector: "app in (web)", name: ^(a|w)eb$}
  patch: |-
    - {op: add, path: /spec/template/spec/containers/-, value: {name: b}}
    - {op: test, path: /spec/replicas, value: 2}
    - {op: move, from: /metadata/labels, path: /metadata/annotations}
transformers:
- |-
  apiVersion: builtin
  kind: ValueAddTransformer
  metadata: {name: v}
  value: x
  targets: [{selector: {kind: Service}, fieldPath: metadata/annotations/z, filePathPosition: 1}]
sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [ConfigMap]}}
buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]
`,
  "top/merge.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, $patch: merge}
spec: {template: {spec: {containers: [{name: web, $patch: replace}, {name: c, ports: [{containerPort: 1}]}]}}}
`,
  "top/f.txt": "one\ntwo \n",
  "top/e.env": "\ufeffK=v\n#x\nL\n",
  "component/kustomization.yaml":
    "kind: Component\npatchesStrategicMerge: ['{kind: ConfigMap, apiVersion: v1, metadata: {name: text}, data: {n: null}}']\n",
};

const PIECES = [
  "",
  "-",
  ": ",
  "\n",
  "  ",
  "\t",
  "[",
  "]",
  "{",
  "}",
  "'",
  '"',
  "|",
  "&a ",
  "*a",
  "<<: ",
  "!!int ",
  "%",
  "#",
  "---\n",
  "~",
  "null",
  "0x",
  "1e999",
  "..",
  "/",
  "$(V)",
  "\\",
  "\u0000",
  "\ud800",
  "é",
  "__proto__: ",
  "constructor",
  "999999999",
  "*",
  "(",
  "[]",
  "{}",
];

function mutate(text: string, random: Random): string {
  const lines = text.split("\n");
  const at = random.below(text.length + 1);
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(6));
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 3:
      lines.splice(random.below(lines.length), 1);
      return lines.join("\n");
    case 4:
      lines.splice(random.below(lines.length), 0, random.pick(lines));
      return lines.join("\n");
    case 5:
      return text.replaceAll(random.pick(text.match(/\w+/g) ?? ["a"]), () => random.pick(PIECES));
    default:
      // The value of one field becomes another kind of thing.
      return text.replace(/: [^\n{[]+/g, (value) => (random.chance(0.1) ? `: ${random.pick(PIECES)}` : value));
  }
}

describe("mutated repositories", () => {
  it("start from one that is built", () => {
    expect(renderKustomization(new MemoryTree(REPOSITORY), "top").objects.length).toBe(7);
  });

  it("are built, or refused with a code of rendering", () => {
    const seed = testSeed();
    for (let index = 0; index < CASES; index++) {
      const random = new Random(seed + index);
      const files: Record<string, Uint8Array> = Object.fromEntries(
        Object.entries(REPOSITORY).map(([path, text]) => [path, new TextEncoder().encode(text)]),
      );
      for (let count = 1 + random.below(3); count > 0; count--) {
        const path = random.pick(Object.keys(REPOSITORY));
        files[path] = bytesOf(mutate(Buffer.from(files[path]!).toString("utf8"), random), random);
      }
      let code = "render-none";
      try {
        renderKustomization(new MemoryTree(files), "top");
      } catch (error) {
        code = (error as { code?: string }).code ?? String((error as Error).stack);
      }
      expect(code, `seed ${seed + index}`).toMatch(/^render-[a-z-]+$/);
    }
  });
});

function bytesOf(text: string, random: Random): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 0 && random.chance(0.05)) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}
