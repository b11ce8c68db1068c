import { describe, expect, it } from "vitest";
import { ClusterRoom } from "./cluster-room.ts";
import { readComponentRequests, readNodeRequest } from "./node-request.ts";
import { MOST } from "./place-sets.ts";
import { PodReader, readNodeDetails } from "./pod-facts.ts";

function addNode(room: ClusterRoom, name: string, cpu: string, more: { pods?: string; zone?: string } = {}): void {
  const labels = more.zone === undefined ? {} : { "topology.kubernetes.io/zone": more.zone };
  room.setNode(
    readNodeDetails({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels },
      status: { allocatable: { cpu, memory: "64Gi", pods: more.pods ?? "110" } },
    }),
  );
}

const reader = new PodReader("karmada");

function addPod(room: ClusterRoom, uid: string, node: string | undefined, cpu: string, status: object = {}): void {
  room.setPod(
    uid,
    reader.read({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: uid, namespace: "shop", uid },
      spec: { nodeName: node, containers: [{ resources: { requests: { cpu } } }] },
      status,
    }),
  );
}

const oneCpu = readNodeRequest({ resourceRequest: { cpu: "1" } });

describe("ClusterRoom", () => {
  it("counts each node by itself: what is left over on several makes no room", () => {
    const room = new ClusterRoom();
    for (let node = 1; node <= 4; node++) {
      addNode(room, `node-${node}`, "2");
      addPod(room, `pod-${node}`, `node-${node}`, "1500m");
    }

    expect(room.replicas(oneCpu)).toBe(0);
    expect(room.replicas(readNodeRequest({ resourceRequest: { cpu: "500m" } }))).toBe(4);
  });

  it("has no room without nodes, whatever is asked", () => {
    expect(new ClusterRoom().replicas(readNodeRequest(undefined))).toBe(0);
    expect(new ClusterRoom().sets(readComponentRequests([]))).toBe(0);
  });

  it("counts pods where nothing is asked for", () => {
    const room = new ClusterRoom();
    addNode(room, "node-1", "2", { pods: "3" });
    addPod(room, "pod-1", "node-1", "0");
    expect(room.replicas(readNodeRequest(undefined))).toBe(2);
  });

  it("counts a pod that came before its node, and none that has ended or has no node", () => {
    const room = new ClusterRoom();
    addPod(room, "early", "node-1", "1");
    addPod(room, "ended", "node-1", "1", { phase: "Succeeded" });
    addPod(room, "waiting", undefined, "1");
    addNode(room, "node-1", "4");
    expect(room.replicas(oneCpu)).toBe(3);
  });

  it("gives back the room of pods that end, move or go", () => {
    const room = new ClusterRoom();
    addNode(room, "node-1", "4");
    for (const uid of ["a", "b", "c"]) addPod(room, uid, "node-1", "1");
    expect(room.replicas(oneCpu)).toBe(1);

    addPod(room, "a", "node-1", "1", { phase: "Failed" });
    expect(room.replicas(oneCpu)).toBe(2);
    room.deletePod("b");
    room.deletePod("b");
    expect(room.replicas(oneCpu)).toBe(3);
  });

  it("keeps its version while nothing that matters changes", () => {
    const room = new ClusterRoom();
    addNode(room, "node-1", "4");
    addPod(room, "a", "node-1", "1");
    const { version } = room;
    addPod(room, "a", "node-1", "1", { phase: "Running" });
    expect(room.version).toBe(version);
  });

  it("answers rightly after more changes than it keeps in mind", () => {
    const room = new ClusterRoom();
    addNode(room, "node-1", "4");
    expect(room.replicas(oneCpu)).toBe(4);
    for (let each = 0; each < 5_000; each++) addPod(room, "a", "node-1", each % 2 === 0 ? "1" : "3");
    expect(room.replicas(oneCpu)).toBe(1);
  });

  it("fills zones in turn with sets of components", () => {
    const room = new ClusterRoom();
    for (const name of ["a-1", "a-2"]) addNode(room, name, "2", { zone: "a" });
    addNode(room, "b-1", "3", { zone: "b" });
    // By name the 2s would stand on a-1 and a-2, and the 3 on b-1.
    const components = readComponentRequests([
      { name: "two", replicas: 2, replicaRequirements: { resourceRequest: { cpu: "2" } } },
      { name: "three", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "3" } } },
    ]);
    expect(room.sets(components)).toBe(0);
    expect(
      room.sets(
        readComponentRequests([{ name: "two", replicas: 3, replicaRequirements: { resourceRequest: { cpu: "2" } } }]),
      ),
    ).toBe(1);
  });

  it("has no limit for sets without pods, and counts a great many at once", () => {
    const room = new ClusterRoom();
    addNode(room, "node-1", "1", { pods: "2000000000" });
    expect(room.sets(readComponentRequests([{ name: "none", replicas: 0 }]))).toBe(MOST);
    expect(room.sets(readComponentRequests([{ name: "small", replicas: 2 }]))).toBe(1_000_000_000);
  });

  it("knows which pods found no node", () => {
    const room = new ClusterRoom();
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", lastTransitionTime }];
    addPod(room, "a", undefined, "1", { conditions });
    expect(room.unplaced("shop")).toMatchObject([{ sinceMs: Date.parse(lastTransitionTime) }]);
    expect(room.unplaced("other")).toEqual([]);

    addPod(room, "a", "node-1", "1");
    expect(room.unplaced("shop")).toEqual([]);
  });
});

describe("readComponentRequests", () => {
  it("refuses a negative number of replicas", () => {
    expect(() => readComponentRequests([{ name: "web", replicas: -1 }])).toThrow(
      expect.objectContaining({ code: "estimate-invalid", message: 'component "web" asks for -1 replicas' }),
    );
  });
});
