import { describe, expect, it } from "vitest";
import { type PodArithmetic, podAmounts } from "./pod-amounts.ts";

function container(cpu: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: "c", image: "i", resources: { requests: { cpu } }, ...more };
}

function cpuOf(spec: Record<string, unknown>, arithmetic: PodArithmetic): number {
  return podAmounts(spec, arithmetic).cpu;
}

describe("podAmounts", () => {
  it.each<PodArithmetic>(["karmada", "kubernetes"])("as %s sums containers and overhead", (arithmetic) => {
    const requests = { cpu: "250m", memory: "1Gi", "ephemeral-storage": "1G", "nvidia.com/gpu": 1, "x-unknown": "5" };
    const spec = {
      containers: [{ name: "a", resources: { requests } }, container("1")],
      overhead: { cpu: "50m", memory: "1Mi" },
    };

    expect(podAmounts(spec, arithmetic)).toEqual({
      cpu: 1300,
      memory: 2 ** 30 + 2 ** 20,
      storage: 1e9,
      pods: 0,
      scalars: new Map([["nvidia.com/gpu", 1]]),
    });
  });

  it.each<PodArithmetic>(["karmada", "kubernetes"])("as %s takes at least the largest init container", (arithmetic) => {
    const spec = { containers: [container("1")], initContainers: [container("3"), container("2")] };
    expect(cpuOf(spec, arithmetic)).toBe(3000);
  });

  it("rounds requests up to thousandths of a processor and to whole bytes", () => {
    const spec = { containers: [{ resources: { requests: { cpu: "100u", memory: "1500m" } } }] };
    expect(podAmounts(spec, "karmada")).toMatchObject({ cpu: 1, memory: 2 });
  });

  it("counts sidecars beside the containers, and beside later init containers, as Kubernetes does", () => {
    const spec = {
      containers: [container("1")],
      initContainers: [container("500m", { restartPolicy: "Always" }), container("4")],
    };
    expect(cpuOf(spec, "kubernetes")).toBe(4500);
    expect(cpuOf({ ...spec, containers: [container("8")] }, "kubernetes")).toBe(8500);
    expect(cpuOf({ ...spec, containers: [container("8")] }, "karmada")).toBe(8000);
  });

  it("takes requests of the whole pod instead of those of its containers, as Kubernetes does", () => {
    const resources = { requests: { cpu: "3", "hugepages-2Mi": "4Mi", "nvidia.com/gpu": "9" } };
    const spec = { containers: [{ resources: { requests: { cpu: "1", memory: "1Ki" } } }], resources };
    expect(podAmounts(spec, "kubernetes")).toMatchObject({
      cpu: 3000,
      memory: 1024,
      scalars: new Map([["hugepages-2Mi", 4 * 2 ** 20]]),
    });
    expect(cpuOf(spec, "karmada")).toBe(1000);
  });

  it("reads a pod whose spec makes no sense as one that asks for nothing", () => {
    expect(podAmounts({ containers: "none", initContainers: [null, 3] }, "kubernetes")).toMatchObject({ cpu: 0 });
    expect(cpuOf({ containers: [container("lots")] }, "karmada")).toBe(0);
  });
});
