import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { builtinKinds } from "./builtin.ts";

function kindOf(apiVersion: string, kind: string): KindStrategy {
  const found = builtinKinds().find(
    (each) => each.kind === kind && (each.group === "" ? "" : `${each.group}/`) + each.version === apiVersion,
  );
  if (found === undefined) throw new Error(`no kind ${kind}`);
  return found;
}

/** A new object as the server would store it. */
function create(body: JsonObject & { apiVersion: string; kind: string }): KubeObject {
  const kind = kindOf(body.apiVersion, body.kind);
  const { object } = kind.decode(body, []);
  kind.applyDefaults(object, undefined);
  object.metadata.uid = "<uid:1>";
  kind.prepareForCreate(object);
  kind.allocate?.(object, undefined, () => []);
  return object;
}

/** The object that replaces `old`, as the server would store it. */
function update(old: KubeObject, change: (object: KubeObject) => void): KubeObject {
  const kind = kindOf(old.apiVersion, old.kind);
  const changed = cloneJson(old);
  change(changed);
  const { object } = kind.decode(changed as unknown as JsonObject, []);
  kind.applyDefaults(object, old);
  kind.prepareForUpdate(object, old);
  kind.allocate?.(object, old, () => [old]);
  return object;
}

function spec(object: KubeObject): JsonObject {
  return object["spec"] as JsonObject;
}

describe("every built-in kind", () => {
  it.each(builtinKinds().map((kind) => [`${kind.group}/${kind.version} ${kind.kind}`, kind] as const))(
    "%s has a type model, and a cell for each column",
    (_name, kind) => {
      const { object } = kind.decode({ metadata: { name: "x" } }, []);
      kind.applyDefaults(object, undefined);
      kind.prepareForCreate(object);

      expect(kind.fieldType().kind).toBe("map");
      expect(kind.cells(object, 0)).toHaveLength(kind.columns.length);
    },
  );

  it("has a storage key of its own, except for the two that have two forms", () => {
    const keys = Map.groupBy(builtinKinds(), (kind) => kind.storageKey);
    const shared = [...keys].filter(([, kinds]) => kinds.length > 1).map(([key]) => key);

    expect(shared.sort()).toEqual(["autoscaling/horizontalpodautoscalers", "events"]);
  });
});

interface Step {
  readonly request: { readonly body: JsonObject & { apiVersion: string; kind: string } };
  readonly response: { readonly body: KubeObject };
}

const file = new URL("../../../test/conformance/vectors/apiserver/defaults.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as {
  cases: readonly { readonly name: string; readonly steps: readonly [Step, ...Step[]] }[];
};

describe("defaults", () => {
  it.each(recorded.cases.map((each) => [each.name, each.steps[0]] as const))(
    "of %s are the recorded ones",
    (_, step) => {
      const stored = create(step.request.body);

      const text = JSON.stringify(stored)
        .replace(/"10\.\d+\.\d+\.\d+"/g, '"<clusterIP>"')
        .replace(/"nodePort":\d+/g, '"nodePort":"<nodePort>"');
      const { metadata, ...rest } = JSON.parse(text) as KubeObject;
      const { metadata: wanted, ...wantedRest } = step.response.body;
      expect(rest).toEqual(wantedRest);
      expect(metadata.labels).toEqual(wanted.labels);
      expect(metadata.finalizers).toEqual(wanted.finalizers);
      expect(metadata.annotations).toEqual(wanted.annotations);
    },
  );

  it("change nothing when they are there already", () => {
    for (const { steps } of recorded.cases) {
      const stored = create(steps[0].request.body);
      const again = cloneJson(stored);

      kindOf(stored.apiVersion, stored.kind).applyDefaults(again, stored);

      expect(again).toEqual(stored);
    }
  });
});

describe("a Service", () => {
  const service = create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "n" },
    spec: { type: "NodePort", ports: [{ port: 80 }] },
  });

  it("keeps its address and node ports when an update leaves them out", () => {
    const updated = update(service, (object) => {
      object["spec"] = { type: "NodePort", ports: [{ port: 80 }] };
    });

    expect(updated["spec"]).toEqual(service["spec"]);
  });

  it("gives up node ports when its type has none", () => {
    const updated = update(service, (object) => {
      spec(object)["type"] = "ClusterIP";
    });

    expect(spec(updated)["ports"]).toEqual([{ port: 80, protocol: "TCP", targetPort: 80 }]);
    expect(updated["spec"]).not.toHaveProperty("externalTrafficPolicy");
  });

  it("gives up its address when it becomes an ExternalName", () => {
    const updated = update(service, (object) => {
      spec(object)["type"] = "ExternalName";
      spec(object)["externalName"] = "a.b";
    });

    expect(updated["spec"]).not.toHaveProperty("clusterIP");
    expect(updated["spec"]).not.toHaveProperty("ipFamilies");
  });

  it("gets an address that no other Service has", () => {
    const kind = kindOf("v1", "Service");
    const taken: KubeObject[] = [];
    for (let count = 0; count < 50; count++) {
      const { object } = kind.decode({ metadata: { name: "same", namespace: "n" } }, []);
      kind.applyDefaults(object, undefined);
      object.metadata.uid = `u${count}`;
      kind.prepareForCreate(object);
      kind.allocate?.(object, undefined, () => taken);
      taken.push(object);
    }

    expect(new Set(taken.map((each) => spec(each)["clusterIP"])).size).toBe(50);
  });

  it("cannot change its address", () => {
    const updated = update(service, (object) => {
      spec(object)["clusterIP"] = "10.0.0.77";
    });

    expect(kindOf("v1", "Service").validateUpdate(updated, service)).toEqual([
      {
        reason: "FieldValueInvalid",
        field: "spec.clusterIPs[0]",
        message: 'Invalid value: ["10.0.0.77"]: may not change once set',
      },
    ]);
  });
});

describe("an update of the main resource", () => {
  it("leaves status as it is", () => {
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    const body = { selector: { matchLabels: { a: "b" } }, template };
    const stored = create({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: body });
    stored["status"] = { replicas: 3 };

    const updated = update(stored, (object) => {
      object["status"] = { replicas: 9 };
    });

    expect(updated["status"]).toEqual({ replicas: 3 });
  });
});

describe("kinds with two forms", () => {
  it("convert an event to either form and back without loss", () => {
    const event = create({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace: "n" },
      involvedObject: { kind: "Pod", name: "p" },
      message: "text",
      count: 2,
      source: { component: "c" },
      reportingComponent: "r",
    });

    const other = kindOf("events.k8s.io/v1", "Event").convert(event);

    expect(other).toMatchObject({ regarding: { kind: "Pod", name: "p" }, note: "text", deprecatedCount: 2 });
    expect(kindOf("v1", "Event").convert(other)).toEqual(event);
  });

  it("convert an autoscaler to either version and back without loss", () => {
    const target = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
    const memory = {
      type: "Resource",
      resource: { name: "memory", target: { type: "Utilization", averageUtilization: 5 } },
    };
    const cpu = {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
    };
    const scaler = create({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "h" },
      spec: { maxReplicas: 3, scaleTargetRef: target, metrics: [cpu, memory], behavior: { scaleDown: {} } },
    });

    const old = kindOf("autoscaling/v1", "HorizontalPodAutoscaler").convert(scaler);

    expect(spec(old)["targetCPUUtilizationPercentage"]).toBe(70);
    expect(kindOf("autoscaling/v2", "HorizontalPodAutoscaler").convert(old)).toEqual(scaler);
  });
});
