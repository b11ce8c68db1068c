// Karmada's own example of an interpreter webhook, asked by us. Needs karmada-interpreter-webhook-example, built from Karmada's Go
// module (examples/customresourceinterpreter/webhook): KARMADA_INTERPRETER_EXAMPLE=FILE.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureCertificates } from "../../fleets/apiserver/http/certificates.ts";
import type { KubeObject } from "../../kube/object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { configMap, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, readBinding } from "./support/reading.ts";
import { freePorts } from "./support/real-api-server.ts";

const BINARY = process.env["KARMADA_INTERPRETER_EXAMPLE"] ?? "";
const present = existsSync(BINARY);
if (!present) console.log("skipped: KARMADA_INTERPRETER_EXAMPLE names no karmada-interpreter-webhook-example");

const API_VERSION = "workload.example.io/v1alpha1";
const WORKLOAD = ref(`${API_VERSION} Workload`, "shop", "nginx");

function workload(replicas: number): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: "Workload",
    metadata: { name: "nginx", namespace: "shop" },
    spec: {
      replicas,
      paused: false,
      template: {
        metadata: { labels: { app: "nginx" } },
        spec: { containers: [{ name: "nginx", image: "nginx", envFrom: [{ configMapRef: { name: "settings" } }] }] },
      },
    },
  };
}

describe.runIf(present)("Karmada's example webhook, asked by us", () => {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-example-"));
  let plane: Plane;
  let example: ChildProcess;
  let said = "";

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: { "tokyo-1": {}, "paris-1": {} } });
    const { server, caPem } = await ensureCertificates(join(folder, "pki"), ["127.0.0.1"], systemClock);
    writeFileSync(join(folder, "tls.crt"), server.certificate);
    writeFileSync(join(folder, "tls.key"), server.key);
    const [port] = await freePorts(1);
    const args = [`--secure-port=${port}`, "--bind-address=127.0.0.1", `--cert-dir=${folder}`];
    example = spawn(BINARY, args, { env: { KUBECONFIG: plane.kubeconfig }, stdio: ["ignore", "ignore", "pipe"] });
    example.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually(
      () => {
        expect(said).toContain("Serving webhook server");
      },
      { withinMs: 30_000 },
    );

    await defineEverywhere(plane, [`${API_VERSION} Workload`]);
    await applyAll(plane.client, {
      apiVersion: "config.karmada.io/v1alpha1",
      kind: "ResourceInterpreterWebhookConfiguration",
      metadata: { name: "examples" },
      webhooks: [
        {
          name: "workloads.example.com",
          rules: [
            {
              operations: [
                "InterpretReplica",
                "ReviseReplica",
                "Retain",
                "AggregateStatus",
                "InterpretHealth",
                "InterpretStatus",
                "InterpretDependency",
              ],
              apiGroups: ["workload.example.io"],
              apiVersions: ["v1alpha1"],
              kinds: ["Workload"],
            },
          ],
          clientConfig: {
            url: `https://127.0.0.1:${port}/interpreter-workload`,
            caBundle: Buffer.from(caPem).toString("base64"),
          },
          interpreterContextVersions: ["v1alpha1"],
          timeoutSeconds: 3,
        },
      ],
    });
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({
        namespace: "shop",
        selectors: [{ apiVersion: API_VERSION, kind: "Workload" }],
        weights: { "tokyo-1": 1, "paris-1": 2 },
        spec: { propagateDeps: true },
      }),
      configMap("shop", "settings"),
      workload(6),
    );
  }, 60_000);

  afterAll(async () => {
    example.kill();
    await plane.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function inMember(cluster: string): Promise<KubeObject> {
    return plane.member(cluster).client.get(WORKLOAD);
  }

  it("divides the replicas and sends along what the workload needs", async () => {
    await eventually(async () => {
      expect(at(await inMember("tokyo-1"), "spec", "replicas")).toBe(2);
      expect(at(await inMember("paris-1"), "spec", "replicas")).toBe(4);
      await plane.member("paris-1").client.get(ref("v1 ConfigMap", "shop", "settings"));
    });
    expect((await readBinding(plane, "shop", "nginx-workload")).spec.replicas).toBe(6);
  });

  it("adds up status and tells health", async () => {
    for (const [cluster, readyReplicas] of [
      ["tokyo-1", 2],
      ["paris-1", 3],
    ] as const) {
      const { client } = plane.member(cluster);
      await client.patch(WORKLOAD, { status: { readyReplicas } }, "merge", { subresource: "status" });
    }

    await eventually(async () => {
      const { status } = await readBinding(plane, "shop", "nginx-workload");
      expect(status?.aggregatedStatus).toMatchObject([
        { clusterName: "paris-1", health: "Unhealthy", status: { readyReplicas: 3 } },
        { clusterName: "tokyo-1", health: "Healthy", status: { readyReplicas: 2 } },
      ]);
      expect((await plane.client.get(WORKLOAD))["status"]).toMatchObject({ readyReplicas: 5 });
    });
  });

  it("keeps what a member paused", async () => {
    const { client } = plane.member("tokyo-1");
    await client.patch(WORKLOAD, { spec: { paused: true } }, "merge", { fieldManager: "member" });
    await applyAll(plane.client, workload(3));

    await eventually(async () => expect(at(await inMember("tokyo-1"), "spec", "replicas")).toBe(1));
    expect(at(await inMember("tokyo-1"), "spec", "paused")).toBe(true);
    await eventually(async () => expect(at(await inMember("paris-1"), "spec", "replicas")).toBe(2));
    // Go leaves out what is false.
    expect(at(await inMember("paris-1"), "spec", "paused")).toBeUndefined();
  });
});
