// A session with the real kubectl: what a person who knows Karmada types first, on both engines.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { engines, type Plane, startPlane } from "./support/plane.ts";
import { orderedReplicas } from "./support/reading.ts";

const testdata = join(import.meta.dirname, "testdata");
const NGINX = join(testdata, "nginx.yaml");
const PLACEMENT = join(testdata, "placement.yaml");
const MEMBERS = { member1: { region: "north" }, member2: { region: "south" }, member3: { region: "south" } };

/** Words of the line of a table that begins with `name`. */
function row(table: string, name: string): string[] | undefined {
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s{2,}/))
    .find((words) => words[0] === name);
}

const withKubectl = hasKubectl();

describe.runIf(withKubectl).each(engines())("kubectl, store: %s", (engine) => {
  let plane: Plane;
  let kubectl: Kubectl;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    plane = await startPlane({ engine, members: MEMBERS });
    kubectl = new Kubectl(plane.kubeconfig, folder);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function untilOrdered(replicas: Record<string, number>): Promise<void> {
    await eventually(async () => expect(await orderedReplicas(plane, "default", "nginx")).toEqual(replicas));
  }

  it("creates the workload and its policy", async () => {
    expect(await kubectl.run("create", "-f", NGINX)).toBe("deployment.apps/nginx created\n");
    expect(await kubectl.run("create", "-f", PLACEMENT)).toBe(
      "propagationpolicy.policy.karmada.io/nginx-placement created\n",
    );

    await untilOrdered({ member1: 1, member2: 1 });
  });

  it("waits for conditions and for the rollout", async () => {
    await kubectl.run("wait", "--for=condition=Scheduled", "rb/nginx-deployment", "--timeout=15s");
    await kubectl.run("wait", "--for=condition=FullyApplied", "rb/nginx-deployment", "--timeout=15s");
    expect(await kubectl.run("rollout", "status", "deployment/nginx", "--timeout=15s")).toContain(
      'deployment "nginx" successfully rolled out',
    );
  });

  it("shows summed replicas, bindings and Works by their short names", async () => {
    await eventually(async () => {
      expect(row(await kubectl.run("get", "deployments"), "nginx")?.slice(0, 4)).toEqual(["nginx", "2/2", "2", "2"]);
    });
    const wide = await kubectl.run("get", "deploy", "nginx", "-o", "wide");
    expect(row(wide, "nginx")?.slice(5)).toEqual(["nginx", "nginx:1.27", "app=nginx"]);
    expect(row(await kubectl.run("get", "pp"), "nginx-placement")).toBeDefined();
    expect(await kubectl.run("get", "op")).toBe("");
    const bindings = await kubectl.run("get", "rb");
    expect(bindings.split("\n")[0]?.split(/\s{2,}/)).toEqual(["NAME", "SCHEDULED", "FULLYAPPLIED", "AGE"]);
    expect(row(bindings, "nginx-deployment")?.slice(0, 3)).toEqual(["nginx-deployment", "True", "True"]);
    const works = await kubectl.run("get", "work", "-A");
    expect(works.split("\n").filter((line) => /^karmada-es-member[12] .*nginx-\w+ .*True/.test(line))).toHaveLength(2);
    const clusters = await kubectl.run("get", "clusters");
    expect(clusters.split("\n")[0]?.split(/\s{2,}/)).toEqual(["NAME", "VERSION", "MODE", "READY", "AGE"]);
    expect(row(clusters, "member1")?.[3]).toBe("True");
  });

  it("prints objects as YAML and by JSONPath", async () => {
    const yaml = await kubectl.run("get", "rb", "nginx-deployment", "-o", "yaml");
    expect(yaml).toContain("apiVersion: work.karmada.io/v1alpha2\nkind: ResourceBinding\n");
    const clusters = await kubectl.run("get", "rb", "nginx-deployment", "-o", "jsonpath={.spec.clusters[*].name}");
    expect(clusters).toBe("member1 member2");
  });

  it("describes the workload with its events in the order in which they came about", async () => {
    await eventually(async () => {
      const text = await kubectl.run("describe", "deployment", "nginx");
      const events = text.slice(text.indexOf("\nEvents:"));
      const wanted = ["ApplyPolicySucceed", "ScheduleBindingSucceed", "SyncWorkSucceed", "AggregateStatusSucceed"];
      const found = wanted.map((reason) => events.indexOf(` ${reason} `));
      expect(found.every((place) => place > 0)).toBe(true);
      expect(found).toEqual([...found].sort((a, b) => a - b));
    });
    expect(await kubectl.run("describe", "rb", "nginx-deployment")).toContain("ScheduleBindingSucceed");
  });

  it("explains the fields of policies", async () => {
    const text = await kubectl.run("explain", "pp.spec.placement");
    expect(text).toContain("FIELD: placement <Object>");
    expect(text).toMatch(/\n {2}clusterAffinity\t<Object>\n/);
  });

  it("scales", async () => {
    expect(await kubectl.run("scale", "deployment", "nginx", "--replicas=4")).toBe("deployment.apps/nginx scaled\n");

    await untilOrdered({ member1: 2, member2: 2 });
    await kubectl.run("rollout", "status", "deployment/nginx", "--timeout=15s");
  });

  it("edits", async () => {
    const editor = join(folder, "editor.sh");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/replicas: 4/replicas: 6/" "$1"\n');
    chmodSync(editor, 0o755);

    const { code, out, err } = await kubectl.try(["edit", "deployment", "nginx"], { env: { EDITOR: editor } });

    expect({ code, out, err }).toEqual({ code: 0, out: "deployment.apps/nginx edited\n", err: "" });
    await untilOrdered({ member1: 3, member2: 3 });
  });

  it("shows a difference, and applies it on the client's and on the server's side", async () => {
    const changed = join(folder, "nginx.json");
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "applied", labels: { app: "applied" } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "applied" } },
        template: { metadata: { labels: { app: "applied" } }, spec: { containers: [{ name: "c", image: "c:1" }] } },
      },
    };
    const write = (image: string): void => {
      const template = { ...deployment.spec.template, spec: { containers: [{ name: "c", image }] } };
      writeFileSync(changed, JSON.stringify({ ...deployment, spec: { ...deployment.spec, template } }));
    };
    write("c:1");
    expect(await kubectl.run("apply", "-f", changed)).toBe("deployment.apps/applied created\n");
    expect(await kubectl.run("apply", "-f", changed)).toBe("deployment.apps/applied unchanged\n");

    write("c:2");
    const difference = await kubectl.try(["diff", "-f", changed]);
    expect(difference.code).toBe(1);
    expect(difference.out).toMatch(/^- +(- )?image: c:1$/m);
    expect(difference.out).toMatch(/^\+ +(- )?image: c:2$/m);

    expect(await kubectl.run("apply", "-f", changed)).toBe("deployment.apps/applied configured\n");
    expect(await kubectl.run("apply", "--server-side", "--force-conflicts", "-f", changed)).toBe(
      "deployment.apps/applied serverside-applied\n",
    );
    expect((await kubectl.try(["diff", "-f", changed])).code).toBe(0);
  });

  it("is told why a policy is refused", async () => {
    const policy = {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "PropagationPolicy",
      metadata: { name: "bad" },
      spec: {
        resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap" }],
        placement: { replicaScheduling: { replicaSchedulingType: "Sideways" } },
      },
    };

    const { code, err } = await kubectl.try(["apply", "-f", "-"], { input: JSON.stringify(policy) });

    expect(code).toBe(1);
    expect(err).toContain("spec.placement.replicaScheduling.replicaSchedulingType");
    expect(err).toContain('Unsupported value: "Sideways"');
  });

  it("labels a cluster, and selects by it", async () => {
    await kubectl.run("label", "cluster", "member3", "stage=test");

    expect(await kubectl.run("get", "clusters", "-l", "stage=test", "-o", "name")).toBe(
      "cluster.cluster.karmada.io/member3\n",
    );
  });

  it("deletes the workload everywhere", async () => {
    expect(await kubectl.run("delete", "-f", NGINX)).toMatch(/^deployment.apps "nginx" deleted/);

    await untilOrdered({});
    await eventually(async () => expect(await kubectl.run("get", "rb", "-o", "name")).not.toContain("nginx"));
    expect(await kubectl.run("delete", "-f", PLACEMENT)).toContain("nginx-placement");
    expect(await kubectl.run("get", "pp", "-o", "name")).toBe("");
  });
});
