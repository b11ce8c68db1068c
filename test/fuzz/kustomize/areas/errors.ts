// Builds that would succeed, with one or two faults put in: kustomize and ours have to report the same one first.
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { PLAIN_STYLE, writeYaml, type YamlValue } from "../support/yaml-writer.ts";
import { FAULTS } from "./error-faults.ts";

export const errors: Area = { name: "errors", generate };

/** A repository of a base, a component and an overlay, while faults are put into it. */
export interface FaultyRepository {
  readonly random: Random;
  /** Other files, by path. */
  readonly files: Record<string, string>;
  /** Fields of the kustomizations by directory; one that is deleted has no file. */
  readonly kustomizations: Record<string, Record<string, YamlValue | undefined>>;
  /** Counts up, for names of files. */
  counter: number;
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.25
        env:
        - {name: A, value: b}
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports:
  - {port: 80, name: http}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {ports: [{port: 5432}]}
`;
const CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {mode: plain, list: 'a,b,c'}\n";

function generate(random: Random): GeneratedKustomization {
  const repository: FaultyRepository = {
    random,
    counter: 0,
    files: {
      "base/deployment.yaml": DEPLOYMENT,
      "base/service.yaml": SERVICE,
      "component/conf.yaml": CONFIG.replace("name: conf", "name: of-component"),
      "overlay/conf.yaml": CONFIG,
      "outside.yaml": CONFIG.replace("name: conf", "name: outside"),
    },
    kustomizations: {
      base: { resources: ["deployment.yaml", "service.yaml"], commonLabels: { team: "a" } },
      component: { kind: "Component", resources: ["conf.yaml"], namePrefix: "c-" },
      overlay: {
        resources: ["conf.yaml", "../base"],
        components: ["../component"],
        namePrefix: random.chance(0.5) ? "p-" : undefined,
        namespace: random.chance(0.3) ? "team" : undefined,
        configMapGenerator: [{ name: "made", literals: ["a=b"] }],
        patches: [{ target: { kind: "Deployment" }, patch: "- {op: replace, path: /spec/replicas, value: 3}\n" }],
      },
    },
  };
  const count = random.pick([1, 1, 2, 2, 3]);
  for (let i = 0; i < count; i++)
    random.pick(FAULTS)(repository, random.pick(["base", "overlay", "overlay", "component"]));
  const { files, kustomizations } = repository;
  for (const [directory, fields] of Object.entries(kustomizations)) {
    const name = `${directory}/kustomization.yaml`;
    files[name] = `${files[name] ?? ""}${writeYaml(fields, random, PLAIN_STYLE)}`;
  }
  return { files, path: "overlay" };
}
