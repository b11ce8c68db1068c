import { describe, expect, it } from "vitest";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { completeService, fillService } from "./default-services.ts";
import { serviceWarnings, validateService, validateServiceUpdate } from "./validate-services.ts";

function service(spec: JsonObject): KubeObject {
  const object = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s" },
    spec: { ports: [{ port: 80 }], ...spec },
  };
  fillService(object as unknown as JsonObject);
  completeService(object as unknown as KubeObject);
  return object as unknown as KubeObject;
}

function problems(spec: JsonObject): string[] {
  return validateService(service(spec)).map(({ field, message }) => `${field}: ${message}`);
}

describe("a Service", () => {
  it.each<[string, JsonObject, string[]]>([
    ["one port", {}, []],
    ["external addresses", { externalIPs: ["1.2.3.4"] }, []],
    [
      "a traffic policy inside the cluster",
      { externalTrafficPolicy: "Local" },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      "a health check port without need",
      { type: "LoadBalancer", healthCheckNodePort: 31000 },
      [
        "spec.healthCheckNodePort: Invalid value: 31000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    ],
    [
      "a node port inside the cluster",
      { ports: [{ port: 80, nodePort: 31000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      "ranges of sources that are none",
      { type: "LoadBalancer", loadBalancerSourceRanges: ["1.2.3.4/8", "x"] },
      [
        'spec.LoadBalancerSourceRanges[0]: Invalid value: "1.2.3.4/8": must not have bits set beyond the prefix length',
        'spec.LoadBalancerSourceRanges[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      "an address of the loopback",
      { externalIPs: ["127.0.0.1"] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
  ])("with %s", (_what, spec, expected) => {
    expect(problems(spec)).toEqual(expected);
  });

  it("has a traffic policy as soon as it is reached from outside", () => {
    expect(service({ externalIPs: ["1.2.3.4"] })["spec"]).toMatchObject({ externalTrafficPolicy: "Cluster" });
    expect(service({})["spec"]).not.toHaveProperty("externalTrafficPolicy");
  });

  it("keeps its load balancer's class", () => {
    const old = service({ type: "LoadBalancer", loadBalancerClass: "a.b/c" });

    expect(validateServiceUpdate(service({ type: "LoadBalancer" }), old)[0]?.field).toBe("spec.loadBalancerClass");
  });

  it("is warned about what nothing will read", () => {
    expect(serviceWarnings(service({ externalName: "a.b" }))).toEqual([
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ]);
  });
});
