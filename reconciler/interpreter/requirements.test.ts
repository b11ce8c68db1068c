import { describe, expect, it } from "vitest";
import { podRequirements } from "./requirements.ts";

function container(requests: Record<string, unknown>, limits: Record<string, unknown> = {}): Record<string, unknown> {
  return { resources: { requests, limits } };
}

describe("podRequirements", () => {
  it("is nothing for a pod that asks for nothing", () => {
    expect(podRequirements({ containers: [{ name: "a" }] })).toBeUndefined();
    expect(podRequirements({ containers: [container({ cpu: "0" })] })).toBeUndefined();
  });

  it("adds containers up, takes limits where requests are missing, and adds the overhead", () => {
    const spec = {
      containers: [container({ cpu: "100m" }, { cpu: "2", memory: "1Gi" }), container({ memory: "512Mi" })],
      overhead: { cpu: "50m" },
    };

    expect(podRequirements(spec)).toEqual({ resourceRequest: { cpu: "150m", memory: "1536Mi" } });
  });

  it("counts only the largest init container, before the overhead", () => {
    const spec = {
      containers: [container({ cpu: "1" })],
      initContainers: [container({ cpu: "3" }), container({ cpu: "2", memory: "1Gi" })],
      overhead: { cpu: "1" },
    };

    expect(podRequirements(spec)).toEqual({ resourceRequest: { cpu: "4", memory: "1Gi" } });
  });

  it("counts extended resources, huge pages and volumes, and no unknown ones", () => {
    const spec = {
      containers: [
        container({
          "nvidia.com/gpu": 2,
          "hugepages-2Mi": "4Mi",
          "attachable-volumes-aws-ebs": "1",
          "requests.nvidia.com/gpu": "1",
          unknown: "1",
          cpu: "0.0001",
        }),
      ],
    };

    expect(podRequirements(spec)).toEqual({
      resourceRequest: { "nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi", "attachable-volumes-aws-ebs": "1", cpu: "1m" },
    });
  });

  it("tells which nodes will do", () => {
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "Exists" }] }] };
    const spec = {
      nodeSelector: { disk: "ssd" },
      tolerations: [{ operator: "Exists" }],
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    };

    expect(podRequirements(spec)).toEqual({
      nodeClaim: { nodeSelector: { disk: "ssd" }, tolerations: [{ operator: "Exists" }], hardNodeAffinity: required },
    });
  });

  it("refuses a quantity that is none", () => {
    expect(() => podRequirements({ containers: [container({ cpu: "much" })] })).toThrow();
    expect(() => podRequirements({ containers: [container({ cpu: true })] })).toThrow("cpu is not a quantity");
  });
});
