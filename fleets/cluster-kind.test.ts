import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { customResourceDefinition } from "../api/crd.ts";
import { KINDS } from "../api/kinds.ts";
import { builtinKinds } from "./apiserver/kinds/builtin.ts";
import { settleControllers, startTestServer, type TestServer } from "./apiserver/test-server.ts";
import { clusterKind } from "./cluster-kind.ts";

const CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters";
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer({ kinds: [...builtinKinds(), clusterKind()] });
});

afterEach(() => test.server.close());

function cluster(name: string, spec: object = {}) {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push", ...spec },
  };
}

describe("the kind Cluster", () => {
  it("is served without a definition, with its subresources", async () => {
    const { body } = await test.call("GET", "/apis/cluster.karmada.io/v1alpha1");

    expect(body["resources"]!.map((each) => [each["name"], each["kind"]])).toEqual([
      ["clusters", "Cluster"],
      ["clusters/proxy", "ClusterProxyOptions"],
      ["clusters/status", "Cluster"],
    ]);
  });

  it("prints the columns of Karmada", async () => {
    await test.call("POST", CLUSTERS, cluster("a"));
    await test.call(
      "POST",
      CLUSTERS,
      cluster("b", {
        zones: ["z1", "z2"],
        region: "eu",
        provider: "p",
        apiEndpoint: "https://b",
        proxyURL: "http://p",
      }),
    );
    const status = {
      kubernetesVersion: "v1.36.0",
      conditions: [
        { type: "Ready", status: "True", reason: "R", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
      ],
    };
    const headers = { "content-type": "application/merge-patch+json" };
    await test.call("PATCH", `${CLUSTERS}/b/status`, { status }, headers);

    const { body } = await test.call("GET", CLUSTERS, undefined, TABLE);

    const columns = body["columnDefinitions"]!.map((column) => [column["name"], column["priority"]]);
    expect(columns).toEqual([
      ["Name", 0],
      ["Version", 0],
      ["Mode", 0],
      ["Ready", 0],
      ["Age", 0],
      ["Zones", 1],
      ["Region", 1],
      ["Provider", 1],
      ["API-Endpoint", 1],
      ["Proxy-URL", 1],
    ]);
    expect(body["rows"]!.map((row) => row["cells"])).toEqual([
      ["a", "", "Push", "Unknown", "0s", "<none>", "<none>", "<none>", "", "<none>"],
      ["b", "v1.36.0", "Push", "True", "0s", "z1,z2", "eu", "p", "https://b", "http://p"],
    ]);
  });

  it("takes strategic merge patches, as karmadactl cordon and taint send", async () => {
    await test.call("POST", CLUSTERS, cluster("a"));
    const taints = [{ key: "cluster.karmada.io/unschedulable", effect: "NoSchedule" }];

    const headers = { "content-type": "application/strategic-merge-patch+json" };
    const answer = await test.call("PATCH", `${CLUSTERS}/a`, { spec: { taints } }, headers);

    expect([answer.status, answer.body["spec"]!["taints"]]).toEqual([200, taints]);
  });

  it("stays when a definition of the same name comes and goes", async () => {
    await test.call("POST", CLUSTERS, cluster("a"));
    const definition = customResourceDefinition(KINDS.find(({ kind }) => kind === "Cluster")!);
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    expect((await test.call("POST", definitions, definition)).status).toBe(201);
    await settleControllers();
    const stored = await test.call("GET", `${definitions}/clusters.cluster.karmada.io`);
    expect(stored.body["status"]!["conditions"]!.map((each) => [each["type"], each["status"]])).toEqual([
      ["NamesAccepted", "False"],
      ["Established", "False"],
    ]);
    await test.call("DELETE", `${definitions}/clusters.cluster.karmada.io`);
    await settleControllers();

    expect((await test.call("GET", `${definitions}/clusters.cluster.karmada.io`)).status).toBe(404);
    expect((await test.call("GET", `${CLUSTERS}/a`)).status).toBe(200);
  });
});
