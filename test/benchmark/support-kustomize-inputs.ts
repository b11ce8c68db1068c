// The inputs of the benchmark of kustomize: `flat` overlays over many objects, and an application with generators and patches.

/** One input: files by path, the directory to build, and how many objects it holds. */
export interface BenchInput {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly path: string;
  readonly objects: number;
}

/** An overlay that sets namespace, prefix, label, image tag and one patch by target, over groups of five objects. */
export function flatInput(objects: number): BenchInput {
  const files: Record<string, string> = {};
  const entries: string[] = [];
  for (let i = 0; i < objects / 5; i++) {
    files[groupFile(i)] = groupText(i);
    entries.push(`- g${i}.yaml\n`);
  }
  files["base/kustomization.yaml"] = `resources:\n${entries.join("")}`;
  files["overlay/kustomization.yaml"] = `resources: [../base]
namespace: bench
namePrefix: b-
labels:
- pairs: {bench: "true"}
  includeTemplates: true
images:
- {name: example/app, newTag: final}
patches:
- target: {kind: Deployment, labelSelector: "shard=3"}
  patch: |-
    - {op: replace, path: /spec/replicas, value: 9}
`;
  return { name: `flat-${objects}`, files, path: "overlay", objects };
}

/** A base with a generator, and an overlay that merges into it, scales and patches. */
export function appInput(): BenchInput {
  const files = {
    "base/kustomization.yaml": `resources: [all.yaml]
configMapGenerator:
- name: gen
  literals: [A=1, B=2]
`,
    "base/all.yaml": groupText(0),
    "overlay/kustomization.yaml": `resources: [../base]
namespace: prod
nameSuffix: -prod
configMapGenerator:
- name: gen
  behavior: merge
  literals: [B=3]
replicas:
- {name: app-0, count: 4}
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: app-0}
    spec: {template: {spec: {containers: [{name: main, envFrom: [{configMapRef: {name: gen}}]}, {name: side, image: side:1}]}}}
- target: {kind: Service}
  patch: |-
    - {op: add, path: /spec/type, value: NodePort}
`,
  };
  return { name: "app", files, path: "overlay", objects: 6 };
}

/** Where the objects of a group stand. */
export function groupFile(i: number): string {
  return `base/g${i}.yaml`;
}

/** Five objects that refer to one another: a workload, its service, configuration, account and autoscaler. */
export function groupText(i: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
  labels: {app: app-${i}, shard: "${i % 7}"}
spec:
  replicas: ${(i % 3) + 1}
  selector: {matchLabels: {app: app-${i}}}
  template:
    metadata: {labels: {app: app-${i}}}
    spec:
      serviceAccountName: app-${i}
      containers:
      - name: main
        image: example/app:v${i % 10}
        envFrom:
        - configMapRef: {name: conf-${i}}
        env:
        - {name: INDEX, value: "${i}"}
        ports:
        - {name: http, containerPort: 8080}
---
apiVersion: v1
kind: Service
metadata: {name: app-${i}}
spec:
  selector: {app: app-${i}}
  ports:
  - {name: http, port: 80, targetPort: http}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf-${i}}
data:
  mode: plain
  index: "${i}"
  text: |
    line one of ${i}
    line two
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app-${i}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: app-${i}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: app-${i}}
  minReplicas: 1
  maxReplicas: 5
`;
}
