import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import {
  applyRevision,
  type ControllerRevision,
  chooseStatefulSetRevision,
  hashOfData,
  isSameData,
  newStatefulSetRevision,
  surplusRevisions,
  templatePatch,
} from "./controller-revisions.ts";

function statefulSet(image: string): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default", uid: "set", annotations: { note: "x" } },
    spec: { template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image }] } } },
  };
}

function revisionOf(image: string, revision: number): ControllerRevision {
  return newStatefulSetRevision(statefulSet(image), revision, 0);
}

describe("revisions of a StatefulSet", () => {
  it("have the names that Kubernetes gives them", () => {
    // As kube-controller-manager 1.36.3 has named it, with what Go escapes in JSON.
    const container = { terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" };
    const template = {
      $patch: "replace",
      metadata: { annotations: { text: "1 < 2 && 3 > 2 é \u2028 x" }, labels: { app: "db", tier: "back" } },
      spec: {
        containers: [
          {
            ...container,
            env: [
              { name: "A", value: "1" },
              { name: "B", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
            ],
            image: "db:1",
            imagePullPolicy: "IfNotPresent",
            name: "db",
            ports: [{ containerPort: 5432, name: "sql", protocol: "TCP" }],
            readinessProbe: {
              failureThreshold: 3,
              periodSeconds: 3,
              successThreshold: 1,
              tcpSocket: { port: 5432 },
              timeoutSeconds: 1,
            },
            resources: { limits: { memory: "2Gi" }, requests: { cpu: "500m", memory: "1Gi" } },
            volumeMounts: [{ mountPath: "/data", name: "data" }],
          },
        ],
        dnsPolicy: "ClusterFirst",
        initContainers: [
          {
            ...container,
            command: ["sh", "-c", "echo <hi> && true"],
            image: "busybox:1",
            imagePullPolicy: "IfNotPresent",
            name: "init",
            resources: {},
          },
        ],
        nodeSelector: { disk: "fast" },
        restartPolicy: "Always",
        schedulerName: "default-scheduler",
        securityContext: { runAsUser: 1000 },
        terminationGracePeriodSeconds: 5,
        tolerations: [{ key: "a", operator: "Exists" }],
        volumes: [{ configMap: { defaultMode: 420, name: "c" }, name: "cfg" }],
      },
    };

    expect(hashOfData({ spec: { template } }, 0)).toBe("c46c9fb4c");
  });

  it("are created, kept or raised by the template", () => {
    const [first, second] = [revisionOf("db:1", 1), revisionOf("db:2", 2)];

    expect(chooseStatefulSetRevision(statefulSet("db:1"), [], 0)).toMatchObject({
      do: "create",
      revision: { revision: 1 },
    });
    expect(chooseStatefulSetRevision(statefulSet("db:1"), [first], 0)).toEqual({ do: "keep", revision: first });
    expect(chooseStatefulSetRevision(statefulSet("db:2"), [first], 0)).toMatchObject({
      do: "create",
      revision: { revision: 2 },
    });
    expect(chooseStatefulSetRevision(statefulSet("db:1"), [first, second], 0)).toEqual({
      do: "raise",
      revision: first,
      to: 3,
    });
  });

  it("bring back the template and nothing else", () => {
    const scaled = statefulSet("db:2");
    scaled["spec"] = { ...(scaled["spec"] as object), replicas: 7 };

    const back = applyRevision(scaled, revisionOf("db:1", 1));

    expect(back["spec"]).toEqual({ ...(statefulSet("db:1")["spec"] as object), replicas: 7 });
  });

  it("are the same whatever the order of fields, and when an older server wrote a creation time of null", () => {
    const data = templatePatch(statefulSet("db:1"));
    const reordered = JSON.parse(
      '{"spec":{"template":{"spec":{"containers":[{"image":"db:1","name":"db"}]},"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"app":"db"}}}}}',
    );

    expect(isSameData(data, reordered)).toBe(true);
    expect(isSameData(data, templatePatch(statefulSet("db:2")))).toBe(false);
  });

  it("have other names after collisions", () => {
    const data = templatePatch(statefulSet("db:1"));

    expect(new Set([0, 1, 2].map((collisions) => hashOfData(data, collisions))).size).toBe(3);
  });

  it("are removed beyond the limit, oldest first, but never live ones", () => {
    const history = [1, 2, 3, 4].map((number) => revisionOf(`db:${number}`, number));
    const isLive = (each: ControllerRevision): boolean => each.revision === 1 || each.revision === 4;

    expect(surplusRevisions(history, isLive, 1).map(({ revision }) => revision)).toEqual([2]);
    expect(surplusRevisions(history, isLive, 2)).toEqual([]);
  });
});
