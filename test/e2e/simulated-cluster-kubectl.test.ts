// The real kubectl against a simulated cluster: what people do with workloads, and the tables and texts that they read.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { createFleet, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";

/** Virtual time runs faster than kubectl asks: deadlines and rollouts pass in moments. */
const PACE = 20;

function web(replicas: number): string {
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", annotations: { "kubernetes.io/change-cause": "first" } },
    spec: {
      replicas,
      progressDeadlineSeconds: 30,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "main", image: "web:1", ports: [{ containerPort: 80 }] }] },
      },
    },
  });
}

const withKubectl = hasKubectl();

describe.runIf(withKubectl)("kubectl on a simulated cluster", () => {
  let fleet: SimulatedFleet;
  let listener: Listener;
  let folder: string;
  let kubectl: Kubectl;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    fleet = await createFleet({ clusters: ["member1"], nodesPerCluster: 3, pace: PACE, readyAfterMs: 1_000 });
    const { server, disturbances } = fleet.cluster("member1");
    disturbances.setImageFault("broken*", "pull-fails");
    const directory = join(folder, "pki");
    listener = await listen(server, {
      host: "127.0.0.1",
      port: 0,
      directory,
      clock: systemClock,
      logger: silentLogger,
    });
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, listener.adminKubeconfig(), { mode: 0o600 });
    kubectl = new Kubectl(kubeconfig, folder);
    await kubectl.try(["apply", "-f", "-"], { input: web(3) });
  }, 60_000);

  afterAll(async () => {
    await listener?.close();
    await fleet?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function rolledOut(what = "deployment/web"): Promise<string> {
    return kubectl.run("rollout", "status", what, "--timeout=30s");
  }

  async function imageOf(deployment: string): Promise<string> {
    return kubectl.run(...["get", "deploy", deployment, "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
  }

  it("waits for a rollout", async () => {
    expect(await rolledOut()).toContain('deployment "web" successfully rolled out');
    expect(await kubectl.run("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")).toBe(
      "deployment.apps/web condition met\n",
    );
  });

  it("shows Deployments, ReplicaSets, Pods and nodes in wide tables", async () => {
    const deployments = await kubectl.run("get", "deploy", "web", "-o", "wide", "--no-headers");
    expect(deployments.trim().split(/\s{2,}/)).toEqual([
      "web",
      "3/3",
      "3",
      "3",
      expect.any(String),
      "main",
      "web:1",
      "app=web",
    ]);
    const pods = (await kubectl.run("get", "pods", "-l", "app=web", "-o", "wide", "--no-headers")).trim().split("\n");
    expect(pods).toHaveLength(3);
    for (const pod of pods)
      expect(pod).toMatch(/^web-\w+-\w+ +1\/1 +Running +0 +\S+ +[\d.]+ +member1-\S+ +<none> +<none>/);
    const nodes = (await kubectl.run("get", "nodes", "--no-headers")).trim().split("\n");
    expect(nodes.map((node) => node.split(/\s+/)[1])).toEqual(["Ready", "Ready", "Ready"]);
  });

  it("describes what happened", async () => {
    const deployment = await kubectl.run("describe", "deployment", "web");
    expect(deployment).toMatch(/Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable/);
    expect(deployment).toMatch(/Available +True +MinimumReplicasAvailable/);
    expect(deployment).toMatch(/Progressing +True +NewReplicaSetAvailable/);
    expect(deployment).toMatch(/NewReplicaSet: +web-\w+ \(3\/3 replicas created\)/);
    expect(deployment).toMatch(
      /Normal +ScalingReplicaSet .* deployment-controller +Scaled up replica set web-\w+ from 0 to 3/,
    );
    const pods = await kubectl.run("describe", "pods", "-l", "app=web");
    expect(pods).toMatch(/Normal +Scheduled .* default-scheduler +Successfully assigned default\/web-\S+ to member1-/);
    expect(pods).toMatch(/Normal +Started .* kubelet +/);
  });

  it("pauses and resumes", async () => {
    await kubectl.run("rollout", "pause", "deployment/web");
    await kubectl.run("set", "image", "deployment/web", "main=web:2");
    expect(await kubectl.run("get", "rs", "-l", "app=web", "--no-headers")).not.toContain("\nweb");

    await kubectl.run("rollout", "resume", "deployment/web");

    expect(await rolledOut()).toContain("successfully rolled out");
    expect((await kubectl.run("get", "rs", "-l", "app=web", "--no-headers")).trim().split("\n")).toHaveLength(2);
  });

  it("lists revisions, and goes back", async () => {
    expect(await kubectl.run("rollout", "history", "deployment/web")).toMatch(/^1 +first\n2 +/m);
    expect(await kubectl.run("rollout", "undo", "deployment/web")).toBe("deployment.apps/web rolled back\n");

    await rolledOut();

    expect(await imageOf("web")).toBe("web:1");
    expect(await kubectl.run("rollout", "history", "deployment/web")).toMatch(/^2 +.*\n3 +first$/m);
  });

  it("tells that a rollout exceeded its deadline, and recovers", async () => {
    await kubectl.run("set", "image", "deployment/web", "main=broken:1");
    const { code, err } = await kubectl.try(["rollout", "status", "deployment/web", "--timeout=60s"]);
    expect(err).toContain('deployment "web" exceeded its progress deadline');
    expect(code).toBe(1);
    expect(await kubectl.run("get", "pods", "-l", "app=web", "--no-headers")).toMatch(
      /0\/1 +(ErrImagePull|ImagePullBackOff)/,
    );

    await kubectl.run("rollout", "undo", "deployment/web");

    expect(await rolledOut()).toContain("successfully rolled out");
  });

  it("restarts, scales and waits for counts", async () => {
    await kubectl.run("rollout", "restart", "deployment/web");
    await rolledOut();
    await kubectl.run("scale", "deployment/web", "--replicas=5");
    expect(
      await kubectl.run("wait", "--for=jsonpath={.status.readyReplicas}=5", "deployment/web", "--timeout=30s"),
    ).toContain("condition met");
  });

  it("drains a node and lets it take Pods again", async () => {
    const node = await kubectl.run(...["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].spec.nodeName}"]);
    await kubectl.run("create", "pdb", "web", "--selector=app=web", "--max-unavailable=1");
    await kubectl.run("wait", "--for=jsonpath={.status.disruptionsAllowed}=1", "pdb/web", "--timeout=30s");

    const drained = await kubectl.run("drain", node, "--ignore-daemonsets", "--timeout=60s");

    expect(drained).toContain(`node/${node} drained`);
    expect(await kubectl.run("get", "node", node, "--no-headers")).toContain("Ready,SchedulingDisabled");
    await rolledOut();
    const left = await kubectl.run(...["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}"]);
    expect(left.split(" ")).not.toContain(node);
    expect(await kubectl.run("uncordon", node)).toBe(`node/${node} uncordoned\n`);
  }, 90_000);

  it("rolls StatefulSets and DaemonSets out and back", async () => {
    for (const kind of ["StatefulSet", "DaemonSet"]) {
      const object = {
        apiVersion: "apps/v1",
        kind,
        metadata: { name: "set" },
        spec: {
          selector: { matchLabels: { set: kind } },
          template: {
            metadata: { labels: { set: kind } },
            spec: { containers: [{ name: "main", image: "set:1" }] },
          },
          ...(kind === "StatefulSet" ? { replicas: 2, serviceName: "set" } : {}),
        },
      };
      const name = `${kind.toLowerCase()}/set`;
      await kubectl.try(["apply", "-f", "-"], { input: JSON.stringify(object) });
      expect(await rolledOut(name)).toMatch(/roll out complete|successfully rolled out/);
      await kubectl.run("set", "image", name, "main=set:2");
      await rolledOut(name);
      expect(await kubectl.run("rollout", "undo", name)).toContain("rolled back");
      await rolledOut(name);
      expect(await kubectl.run("get", name, "-o", "jsonpath={.spec.template.spec.containers[0].image}")).toBe("set:1");
      expect(await kubectl.run("rollout", "history", name)).toMatch(/^2 .*\n3 /m);
    }
  }, 60_000);

  it("runs a Job and waits for its end", async () => {
    await kubectl.run("create", "job", "task", "--image=task:1");
    expect(await kubectl.run("wait", "--for=condition=Complete", "job/task", "--timeout=30s")).toContain(
      "condition met",
    );
    expect(await kubectl.run("get", "job", "task", "--no-headers")).toMatch(/^task +Complete +1\/1/);
  });

  it("deletes in the foreground and waits until everything is gone", async () => {
    await kubectl.run("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s");
    expect(await kubectl.run("get", "rs,pods", "-l", "app=web", "--no-headers")).toBe("");
  }, 90_000);
});
