// One deliberate fault in a repository that builds.
import type { Random } from "../../../../runtime/random.ts";
import type { GeneratedKustomization } from "../area.ts";

/** Breaks one file; sometimes it is one that does not matter. */
export function addFault(made: GeneratedKustomization, random: Random): GeneratedKustomization {
  const files = { ...made.files };
  const kustomizations = Object.keys(files).filter((path) => /kustomization\.ya?ml$/i.test(path));
  const root = kustomizations.find((path) => path.startsWith(`${made.path}/`)) ?? "";
  const append = (path: string, text: string): void => {
    const content = files[path];
    if (typeof content === "string") files[path] = `${content}${text}`;
  };
  const others = Object.keys(files).filter((path) => path.endsWith(".yaml") && !kustomizations.includes(path));
  random.pick<() => void>([
    () => append(random.pick(kustomizations), "unknownField: 1\n"),
    () => append(random.pick(kustomizations), "crds: [absent.json]\n"),
    () => append(root, "validators: [absent.yaml]\n"),
    () => append(root, "namePrefix: [1\n"),
    () => append(root, "replicas:\n- {name: absent, count: 1}\n"),
    () => append(root, "patches:\n- patch: '[{op: replace, path: /a/b, value: 1}]'\n"),
    () => append(root, "patches:\n- target: {kind: .*}\n  patch: |-\n    - {op: remove, path: /nothing/here}\n"),
    () => append(root, "patches:\n- patch: |-\n    apiVersion: v1\n    kind: Absent\n    metadata: {name: absent}\n"),
    () => append(root, "patches:\n- target: {kind: '('}\n  patch: |-\n    - {op: remove, path: /metadata}\n"),
    () => append(root, "configMapGenerator:\n- name: g\n  files: [absent.txt]\n"),
    () => append(root, "configMapGenerator:\n- name: absent\n  behavior: merge\n  literals: [a=b]\n"),
    () => append(root, "sortOptions: {order: other}\n"),
    () => append(root, "transformers: [{}]\n"),
    () => append(root, "replacements:\n- source: {kind: Absent}\n  targets:\n  - select: {kind: ConfigMap}\n"),
    () => {
      if (others.length > 0) delete files[random.pick(others)];
    },
    () => {
      if (others.length > 0)
        append(random.pick(others), random.pick(["  bad: [\n", "\t- x\n", "--- junk\n", "kind: Twice\n"]));
    },
    () => {
      files[`${made.path}/kustomization.yml`] = "namePrefix: second-\n";
    },
  ])();
  return { ...made, files };
}
