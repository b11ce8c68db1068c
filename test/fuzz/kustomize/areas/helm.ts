// Helm charts of the source, inflated by the real helm on both sides.
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { PLAIN_STYLE, writeYaml, type YamlValue } from "../support/yaml-writer.ts";

export const helm: Area = { name: "helm", generate };

type Fields = { [key: string]: YamlValue | undefined };

const TEMPLATE = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  template:
    spec:
      containers:
      - name: web
        image: {{ .Values.image | default "nginx" | quote }}
        envFrom: [{configMapRef: {name: {{ .Release.Name }}-conf}}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-conf
data:
  values: {{ toJson .Values | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  api: {{ .Capabilities.APIVersions.Has "example.org/v1" | quote }}
`;
const HOOK = `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {"helm.sh/hook": test}
spec: {}
`;
const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: bees.example.org}
spec: {}
`;

function generate(random: Random): GeneratedKustomization {
  const home = random.pick(["charts", "charts", "deep/er"]);
  const files: Record<string, string> = {
    [`base/${home}/web/Chart.yaml`]: "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    [`base/${home}/web/values.yaml`]: writeYaml(values(random), random, PLAIN_STYLE),
    [`base/${home}/web/templates/all.yaml`]: TEMPLATE,
    [`base/${home}/web/templates/hook.yaml`]: HOOK,
    [`base/${home}/web/crds/bee.yaml`]: DEFINITION,
    "base/own.yaml": writeYaml(values(random), random, PLAIN_STYLE),
    "base/more.yaml": writeYaml(values(random), random, PLAIN_STYLE),
  };
  const entry = chart(random);
  const base: Fields = {};
  if (home !== "charts") base["helmGlobals"] = { chartHome: home };
  if (random.chance(0.2)) {
    const config = { apiVersion: "builtin", kind: "HelmChartInflationGenerator", metadata: { name: "g" }, ...entry };
    files["base/generator.yaml"] = writeYaml({ ...config, chartHome: home }, random, PLAIN_STYLE);
    base["generators"] = ["generator.yaml"];
  } else if (random.chance(0.15)) {
    const { valuesFile, valuesInline, valuesMerge, releaseName } = entry;
    base["helmChartInflationGenerator"] = [
      { chartName: "web", values: valuesFile, valuesLocal: valuesInline, valuesMerge, releaseName },
    ];
  } else base["helmCharts"] = [entry];
  addFields(random, base);
  files["base/kustomization.yaml"] = writeYaml(base, random, PLAIN_STYLE);
  const top: Fields = { resources: ["../base"] };
  addFields(random, top);
  files["top/kustomization.yaml"] = writeYaml(top, random, PLAIN_STYLE);
  return { path: "top", files, args: ["--enable-helm"] };
}

function chart(random: Random): Fields {
  return {
    name: "web",
    // Without a name Helm makes up another one each time.
    releaseName: "rel",
    namespace: random.chance(0.2) ? "own" : undefined,
    valuesFile: random.chance(0.4) ? "own.yaml" : undefined,
    additionalValuesFiles: random.chance(0.3) ? ["more.yaml"] : undefined,
    valuesInline: random.chance(0.6) ? values(random) : undefined,
    valuesMerge: random.chance(0.6) ? random.pick(["override", "merge", "replace"]) : undefined,
    includeCRDs: random.chance(0.3) ? true : undefined,
    skipTests: random.chance(0.3) ? true : undefined,
    skipHooks: random.chance(0.2) ? true : undefined,
    kubeVersion: random.chance(0.2) ? "1.25.3" : undefined,
    apiVersions: random.chance(0.2) ? ["example.org/v1", "b/v2"] : undefined,
    debug: random.chance(0.1) ? true : undefined,
    devel: random.chance(0.1) ? true : undefined,
  };
}

function values(random: Random): Fields {
  const all: Fields = {
    replicas: random.pick<YamlValue>([1, 3, 12, null]),
    image: random.pick<YamlValue>(["nginx:1.0", "x.y/z@sha256:ab", null]),
    flag: random.pick<YamlValue>([true, "yes", "on", "null", ""]),
    number: random.pick<YamlValue>([1.5, 1e21, 1e-7, 123456789, "007", "1e3", "0x1f"]),
    map: random.pick<YamlValue>([{ a: 1 }, { a: null, b: { c: "d" } }, {}, null]),
    list: random.pick<YamlValue>([[{ name: "a", v: 1 }], [{ name: "b" }, { name: "a", w: 2 }], [], [1, "2"]]),
    "dotted.key": "v",
  };
  const chosen = Object.entries(all).filter(() => random.chance(0.5));
  return chosen.length > 0 ? Object.fromEntries(chosen) : { replicas: 2 };
}

function addFields(random: Random, fields: Fields): void {
  if (random.chance(0.3)) fields["namespace"] = random.pick(["one", "two"]);
  if (random.chance(0.3)) fields["namePrefix"] = "p-";
  if (random.chance(0.2)) fields["commonLabels"] = { a: "b" };
  if (random.chance(0.2)) fields["images"] = [{ name: "nginx", newTag: "9" }];
  if (random.chance(0.2)) {
    fields["patches"] = [{ target: { kind: "ConfigMap" }, patch: '[{"op": "add", "path": "/data/k", "value": "v"}]' }];
  }
  if (random.chance(0.15)) fields["buildMetadata"] = ["originAnnotations", "transformerAnnotations"];
}
