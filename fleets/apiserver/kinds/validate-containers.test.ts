import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../kube/object.ts";
import { podWarnings } from "./pod-warnings.ts";
import { podSpecErrors } from "./validate-pods.ts";

function problems(container: JsonObject, spec: JsonObject = {}): string[] {
  const whole = { restartPolicy: "Always", containers: [{ name: "c", image: "i", ...container }], ...spec };
  return podSpecErrors(whole, "spec").map(({ field, message }) => `${field}: ${message}`);
}

describe("a container", () => {
  it.each<[string, JsonObject, string[]]>([
    ["a probe", { livenessProbe: { httpGet: { path: "/", port: "http", scheme: "HTTP" } } }, []],
    [
      "a probe that does two things",
      { livenessProbe: { exec: { command: ["a"] }, tcpSocket: { port: 80 } } },
      ["spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    ],
    [
      "a probe that does nothing",
      { readinessProbe: {} },
      ["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
    ],
    [
      "a variable from two places",
      {
        env: [
          { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } } },
        ],
      },
      ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
    ],
    [
      "a variable from a field that Pods do not have",
      { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "x.y" } } }] },
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "x.y": error converting fieldPath: field label not supported: x.y',
      ],
    ],
    [
      "a resource without a limit that cannot be shared",
      { resources: { requests: { "x.y/z": "1" } } },
      ["spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ],
    [
      "a mount outside of its volume",
      { volumeMounts: [{ name: "v", mountPath: "/a", subPath: "../x" }] },
      [`spec.containers[0].volumeMounts[0].subPath: Invalid value: "../x": must not contain '..'`],
    ],
  ])("with %s", (_what, container, expected) => {
    expect(problems(container, { volumes: [{ name: "v", emptyDir: {} }] })).toEqual(expected);
  });

  it("has no probes before the others start, unless it stays", () => {
    const probe = { livenessProbe: { tcpSocket: { port: 1 } } };

    expect(problems({}, { initContainers: [{ name: "a", image: "i", ...probe }] })).toEqual([
      "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ]);
    expect(problems({}, { initContainers: [{ name: "a", image: "i", restartPolicy: "Always", ...probe }] })).toEqual(
      [],
    );
  });

  it("cannot mount a volume that is wrong", () => {
    const mounts = { volumeMounts: [{ name: "v", mountPath: "/a" }] };

    expect(problems(mounts, { volumes: [{ name: "v", hostPath: { path: "" } }] })).toEqual([
      "spec.volumes[0].hostPath.path: Required value",
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ]);
  });
});

describe("placement", () => {
  it.each<[string, JsonObject, string]>([
    [
      "a toleration of everything with a value",
      { tolerations: [{ value: "v" }] },
      'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [
      "node terms that are none",
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
    ],
    [
      "the same spread twice",
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" },
          { maxSkew: 2, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" },
        ],
      },
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"',
    ],
  ])("refuses %s", (_what, spec, expected) => {
    expect(problems({}, spec)).toEqual([expected]);
  });
});

describe("warnings about a Pod", () => {
  function warnings(containers: JsonObject[]): readonly string[] {
    return podWarnings({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers } });
  }

  it("tell of ports that are the same or may be", () => {
    const ports = [{ containerPort: 80, protocol: "TCP" }];
    const hostPorts = [{ containerPort: 80, protocol: "TCP", hostPort: 8080 }];

    expect(warnings([{ ports }, { ports }])).toEqual([
      "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
    ]);
    expect(warnings([{ ports }, { ports: hostPorts }])).toEqual([
      "spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]",
    ]);
  });

  it("tell of parts of bytes", () => {
    expect(warnings([{ resources: { limits: { memory: "500m", cpu: "500m" } } }])).toEqual([
      'spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer',
    ]);
  });
});
