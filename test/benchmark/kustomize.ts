// Milliseconds to build an overlay over a base of many objects, and to print the result.
import { emitYaml } from "../../renderers/kustomize/emit.ts";
import { renderKustomization } from "../../renderers/kustomize/render.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";

const SIZES = [10, 100, 1000, 5000] as const;

/** Prints a row per size. Arguments: repetitions per figure (5). */
export async function run(args: readonly string[]): Promise<void> {
  const repetitions = Number(args[0] ?? 5);
  process.stdout.write(
    "CPU milliseconds, median; the overlay sets namespace, prefix, label, image and one JSON patch\n",
  );
  process.stdout.write(
    `${"objects".padStart(8)}${"build".padStart(10)}${"print".padStart(10)}${"us/object".padStart(12)}\n`,
  );
  for (const size of SIZES) {
    const tree = new MemoryTree(overlayOf(size));
    const builds: number[] = [];
    const prints: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const start = process.cpuUsage();
      const { objects } = renderKustomization(tree, "overlay");
      const built = process.cpuUsage(start);
      if (objects.length !== size) throw new Error(`${objects.length} objects instead of ${size}`);
      const between = process.cpuUsage();
      const text = emitYaml(objects.map(({ object }) => object));
      const printed = process.cpuUsage(between);
      if (!text.includes("final")) throw new Error("the image was not changed");
      builds.push((built.user + built.system) / 1000);
      prints.push((printed.user + printed.system) / 1000);
    }
    const build = median(builds);
    const print = median(prints);
    const each = ((build + print) * 1000) / size;
    process.stdout.write(
      `${String(size).padStart(8)}${build.toFixed(1).padStart(10)}${print.toFixed(1).padStart(10)}${each.toFixed(0).padStart(12)}\n`,
    );
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function overlayOf(objects: number): Record<string, string> {
  const files: Record<string, string> = {};
  const names: string[] = [];
  for (let i = 0; i < objects / 5; i++) {
    names.push(`- group-${i}.yaml\n`);
    files[`base/group-${i}.yaml`] = group(i);
  }
  files["base/kustomization.yaml"] = `resources:\n${names.join("")}`;
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
  return files;
}

/** Five objects that refer to one another: a workload, its service, configuration, account and autoscaler. */
function group(i: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
  labels: {app: app-${i}, shard: "${i % 7}"}
spec:
  replicas: ${(i % 3) + 1}
  selector:
    matchLabels: {app: app-${i}}
  template:
    metadata:
      labels: {app: app-${i}}
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
