// `flaghoist up --fleet FILE`: the clusters of a scenario join a control plane, and what befalls them is felt there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHttpTransport } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import type { KubeObject } from "../../kube/object.ts";
import { runCli } from "../../reconciler/cli/main.ts";
import { runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { ref } from "./support/plane.ts";
import { at, conditionOf } from "./support/reading.ts";

const CLUSTER = "cluster.karmada.io/v1alpha1 Cluster";
const SCENARIO = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: two}
clusters:
  - name: tokyo
    region: ap-northeast
    provider: aws
    zones: [ap-northeast-1a, ap-northeast-1c]
    nodes: 2
    labels: {tier: gold}
  - {name: paris, region: eu-west, provider: gcp, nodes: 1}
manifests:
  - objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {x: one}}]
timeline:
  - at: 1s
    apply: {target: {region: eu-west}, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: later}}]}
  - at: 2s
    fault: {type: unhealthy, name: etcd, target: {region: ap-northeast}}
  - at: 2s
    fault: {type: down, name: cable, target: {clusters: [paris]}}
`;
const LONG = 90_000;

describe("a control plane with the fleet of a scenario", { timeout: LONG }, () => {
  let folder: string;
  let client: KubeClient;
  let plane: Transport;
  let ended: Promise<number>;
  let said = "";
  const stop = new AbortController();
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-up-fleet-"));
    writeFileSync(join(folder, "fleet.yaml"), SCENARIO);
    const tell = (text: string): void => {
      said += text;
    };
    const io = { out: tell, err: tell, isTerminal: false, env: {}, cwd: folder };
    ended = runCli(["up", "--fleet", "fleet.yaml", "--port", "0", "--log-level", "error"], io, stop.signal);
    await eventually(() => said.includes("2 simulated clusters: tokyo, paris"), {
      withinMs: 60_000,
      what: "the fleet",
    });
    plane = await open(readFileSync(join(folder, ".flaghoist/kubeconfig"), "utf8"));
    client = new KubeClient(plane);
  }, LONG);

  afterAll(async () => {
    for (const close of closers) await close();
    stop.abort();
    expect(await ended).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  }, LONG);

  async function open(kubeconfig: string): Promise<Transport> {
    const transport = await openHttpTransport({ kubeconfig });
    closers.push(() => transport.close());
    return transport.send;
  }

  /** A member as others than this process reach it: by the listener of the control plane. */
  async function member(name: string): Promise<Transport> {
    const secret = await client.get(ref("v1 Secret", "karmada-cluster", name));
    return open(Buffer.from(String(at(secret, "data", "kubeconfig")), "base64").toString("utf8"));
  }

  function cluster(name: string): Promise<KubeObject> {
    return client.get(ref(CLUSTER, "", name));
  }

  it("has its clusters where the scenario says", async () => {
    expect(await cluster("tokyo")).toMatchObject({
      metadata: { labels: { tier: "gold" } },
      spec: { region: "ap-northeast", provider: "aws", zones: ["ap-northeast-1a", "ap-northeast-1c"] },
    });
    expect(await cluster("paris")).toMatchObject({ spec: { region: "eu-west", provider: "gcp" } });
  });

  it("finds a cluster not ready once a fault of the timeline has struck", async () => {
    await eventually(
      async () => {
        expect(conditionOf(await cluster("tokyo"), "Ready")).toMatchObject({ status: "False" });
        expect(conditionOf(await cluster("paris"), "Ready")).toMatchObject({ status: "False" });
      },
      { withinMs: 60_000 },
    );
  });

  it("shows faults to whoever reaches a cluster through its listener", async () => {
    const [tokyo, paris] = [await member("tokyo"), await member("paris")];

    await expect(paris({ method: "GET", path: "/version" })).rejects.toMatchObject({ code: "api-unreachable" });
    expect((await tokyo({ method: "GET", path: "/readyz" })).status).toBe(500);
    expect((await tokyo({ method: "GET", path: "/api/v1/namespaces/default/configmaps/settings" })).status).toBe(200);
    expect((await plane({ method: "GET", path: "/readyz" })).status).toBe(200);
  });

  it("refuses a scenario whose time is not the control plane's", async () => {
    writeFileSync(join(folder, "stepped.yaml"), `${SCENARIO}clock: {pace: stepped}\n`);

    const ran = await runFlaghoist(["up", "--fleet", "stepped.yaml", "--data", "other", "--port", "0"], {
      cwd: folder,
    });

    expect(ran.code).toBe(2);
    expect(ran.err).toContain("stepped.yaml has a clock of the pace stepped, and a control plane lives in real time");
  });
});
