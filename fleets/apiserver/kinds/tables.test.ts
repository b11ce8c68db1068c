import { describe, expect, it } from "vitest";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { builtinKinds } from "./builtin.ts";

const NOW = Date.parse("2024-05-01T12:00:00Z");
const TWO_HOURS_AGO = "2024-05-01T10:00:00Z";

/** The row of an object by column name. */
function row(apiVersion: string, name: string, body: JsonObject): Record<string, unknown> {
  const kind = builtinKinds().find(
    (each) => each.kind === name && (each.group === "" ? "" : `${each.group}/`) + each.version === apiVersion,
  )!;
  const metadata = { name: "x", creationTimestamp: TWO_HOURS_AGO, ...(body["metadata"] as object) };
  const { object } = kind.decode({ ...body, metadata }, []);
  kind.applyDefaults(object, undefined);
  const cells = kind.cells(object as KubeObject, NOW);
  return Object.fromEntries(kind.columns.map((column, index) => [column.name, cells[index]]));
}

const ONE = { containers: [{ name: "c", image: "i" }] };

function pod(status: JsonObject, spec: JsonObject = ONE, metadata: JsonObject = {}): Record<string, unknown> {
  return row("v1", "Pod", { metadata, spec, status });
}

function container(state: JsonObject, more: JsonObject = {}): JsonObject {
  return { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state, ...more };
}

describe("the status of a Pod", () => {
  it.each<[string, JsonObject, string]>([
    ["its phase", { phase: "Pending" }, "Pending"],
    ["the reason of its phase", { phase: "Failed", reason: "Evicted" }, "Evicted"],
    [
      "why a container waits",
      { phase: "Running", containerStatuses: [container({ waiting: { reason: "CrashLoopBackOff" } })] },
      "CrashLoopBackOff",
    ],
    [
      "why a container ended",
      { phase: "Running", containerStatuses: [container({ terminated: { exitCode: 137, reason: "OOMKilled" } })] },
      "OOMKilled",
    ],
    [
      "the exit code without a reason",
      { phase: "Running", containerStatuses: [container({ terminated: { exitCode: 3 } })] },
      "ExitCode:3",
    ],
    [
      "the signal without a reason",
      { phase: "Running", containerStatuses: [container({ terminated: { exitCode: 0, signal: 9 } })] },
      "Signal:9",
    ],
    [
      "that it waits for a gate",
      { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
      "SchedulingGated",
    ],
  ])("is %s", (_what, status, expected) => {
    expect(pod(status)["Status"]).toBe(expected);
  });

  it("counts init containers until they are done", () => {
    const spec = {
      ...ONE,
      initContainers: [
        { name: "a", image: "i" },
        { name: "b", image: "i" },
      ],
    };
    const done = container({ terminated: { exitCode: 0 } }, { name: "a" });
    const failed = container({ terminated: { exitCode: 1, reason: "Error" } }, { name: "b" });

    expect(pod({ phase: "Pending", initContainerStatuses: [done] }, spec)["Status"]).toBe("Pending");
    expect(pod({ phase: "Pending", initContainerStatuses: [done, failed] }, spec)["Status"]).toBe("Init:Error");
  });

  it("is Terminating from the deletion on", () => {
    const deleted = { deletionTimestamp: TWO_HOURS_AGO };

    expect(pod({ phase: "Running" }, ONE, deleted)["Status"]).toBe("Terminating");
    expect(pod({ phase: "Succeeded" }, ONE, deleted)["Status"]).toBe("Succeeded");
  });

  it("says how many restarts, and when the last was", () => {
    const again = container(
      { running: {} },
      {
        ready: true,
        restartCount: 3,
        lastState: { terminated: { exitCode: 1, finishedAt: "2024-05-01T11:55:00Z" } },
      },
    );

    expect(pod({ phase: "Running", containerStatuses: [again] })).toMatchObject({
      Restarts: "3 (5m ago)",
      Ready: "1/1",
    });
  });
});

describe("rows of other kinds", () => {
  it("list the first three endpoints and count the rest", () => {
    const addresses = ["1", "2", "3", "4", "5"].map((last) => ({ ip: `1.2.3.${last}` }));

    expect(row("v1", "Endpoints", { subsets: [{ addresses, ports: [{ port: 80 }] }] })["Endpoints"]).toBe(
      "1.2.3.1:80,1.2.3.2:80,1.2.3.3:80 + 2 more...",
    );
  });

  it("show node ports of a Service, and that its address is pending", () => {
    const spec = {
      type: "LoadBalancer",
      ports: [
        { port: 80, nodePort: 30080 },
        { port: 53, protocol: "UDP" },
      ],
    };

    expect(row("v1", "Service", { spec })).toMatchObject({
      "Port(s)": "80:30080/TCP,53/UDP",
      "External-IP": "<pending>",
    });
  });

  it("write selectors with their expressions", () => {
    const matchExpressions = [
      { key: "x", operator: "In", values: ["2", "1"] },
      { key: "y", operator: "DoesNotExist" },
    ];
    const selector = { matchLabels: { a: "b" }, matchExpressions };

    expect(row("apps/v1", "Deployment", { spec: { selector } })["Selector"]).toBe("a=b,x in (1,2),!y");
  });

  it("show targets of an autoscaler, unknown ones as such", () => {
    const metric = (name: string): JsonObject => ({
      type: "Resource",
      resource: { name, target: { type: "Utilization", averageUtilization: 80 } },
    });
    const spec = {
      maxReplicas: 3,
      scaleTargetRef: { kind: "D", name: "d" },
      metrics: [metric("cpu"), metric("memory"), metric("x")],
    };

    expect(row("autoscaling/v2", "HorizontalPodAutoscaler", { spec })["Targets"]).toBe(
      "cpu: <unknown>/80%, memory: <unknown>/80% + 1 more...",
    );
  });

  it("tell how long a Job took", () => {
    const status = { startTime: TWO_HOURS_AGO, completionTime: "2024-05-01T10:05:00Z", succeeded: 1 };
    const conditions = [{ type: "Complete", status: "True" }];

    expect(
      row("batch/v1", "Job", { spec: { template: { spec: ONE } }, status: { ...status, conditions } }),
    ).toMatchObject({
      Status: "Complete",
      Completions: "1/1",
      Duration: "5m",
      Age: "120m",
    });
  });
});
