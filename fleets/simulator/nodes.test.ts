import { describe, expect, it } from "vitest";
import { NodeRoom } from "./nodes.ts";

function room(nodes: Readonly<Record<string, string>>, pods = 10): NodeRoom {
  const made = new NodeRoom();
  for (const [name, cpu] of Object.entries(nodes)) made.addNode(name, { cpu, memory: "8Gi", pods });
  return made;
}

describe("NodeRoom", () => {
  it("places on the node with the most free processor", () => {
    const free = room({ a: "2", b: "4" });

    expect(["p1", "p2", "p3"].map((pod) => free.place(pod, { cpu: "1500m" }))).toEqual(["b", "b", "a"]);
  });

  it.each<[string, Record<string, string>]>([
    ["processor", { cpu: "3" }],
    ["memory", { memory: "9Gi" }],
  ])("places nothing without enough %s", (_what, requests) => {
    expect(room({ a: "2" }).place("p", requests)).toBeUndefined();
  });

  it("places no more pods on a node than it takes", () => {
    const free = room({ a: "2" }, 1);

    expect([free.place("p1", {}), free.place("p2", {})]).toEqual(["a", undefined]);
  });

  it("gives back what a pod had, once", () => {
    const free = room({ a: "2" });
    free.place("p1", { cpu: "2" });

    free.release("p1");
    free.release("p1");

    expect([free.place("p2", { cpu: "2" }), free.place("p3", { cpu: "100m" })]).toEqual(["a", undefined]);
  });

  it("takes room once for a pod that is asked for again", () => {
    const free = room({ a: "2", b: "1" });

    expect([free.place("p1", { cpu: "1500m" }), free.place("p1", { cpu: "1500m" })]).toEqual(["a", "a"]);
    free.release("p1");
    expect(free.place("p2", { cpu: "2" })).toBe("a");
  });

  it("counts pods that name their node themselves, even beyond its room", () => {
    const free = room({ a: "2" });

    free.occupy("daemon", "a", { cpu: "3" });
    expect(free.place("p1", { cpu: "100m" })).toBeUndefined();
    free.release("daemon");
    expect(free.place("p1", { cpu: "2" })).toBe("a");
  });
});
