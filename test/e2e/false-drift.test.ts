// What looks like drift elsewhere and is none: each case is applied to a member, looked at again, asked for by dry run, and met by
// a new process. Nothing may be found, and nothing written. Members are the embedded server and a real kube-apiserver.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApiServer } from "../../fleets/apiserver/server.ts";
import { type ApplyResult, applyManifest } from "../../fleets/apply.ts";
import type { FieldRules } from "../../fleets/field-rules.ts";
import { Member } from "../../fleets/member.ts";
import { openHttpTransport } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { rulesOfCopy } from "../../reconciler/works/field-rules.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "./support/eventually.ts";
import { findKubeAssets, startRealApiServer } from "./support/real-api-server.ts";

const assets = findKubeAssets();

interface Server {
  readonly transport: Transport;
  close(): Promise<void>;
}

const SERVERS: Readonly<Record<string, () => Promise<Server>>> = {
  embedded: async () => {
    const server = await createApiServer({ name: "member", clock: systemClock, logger: silentLogger });
    return { transport: server.handle, close: () => server.close() };
  },
  ...(assets === undefined
    ? {}
    : {
        "kube-apiserver": async () => {
          const server = await startRealApiServer(assets);
          const { readFileSync } = await import("node:fs");
          const http = await openHttpTransport({ kubeconfig: readFileSync(server.kubeconfig, "utf8") });
          return {
            transport: http.send,
            close: async () => {
              await http.close();
              await server.close();
            },
          };
        },
      }),
};

type Body = Record<string, unknown>;

/** What others do to the object after it was applied, as one manager. */
interface Others {
  readonly manager: string;
  readonly patch: unknown;
  readonly subresource?: string;
}

interface Case {
  readonly name: string;
  readonly object: Body;
  readonly scaled?: boolean;
  readonly others?: Others;
}

const POD = {
  metadata: { labels: { app: "web" }, creationTimestamp: null },
  spec: {
    containers: [
      {
        name: "web",
        image: "web:1",
        ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }],
        env: [{ name: "EMPTY", value: "" }],
        resources: { requests: { cpu: "1000m", memory: "1024Mi" }, limits: { cpu: 2, memory: "1.5Gi" } },
        livenessProbe: { httpGet: { path: "/", port: 80 } },
        volumeMounts: [],
        securityContext: {},
      },
    ],
    nodeSelector: {},
    tolerations: [],
  },
};

function workload(more: Body = {}): Body {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", creationTimestamp: null, annotations: {} },
    spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, strategy: {}, template: POD },
    status: {},
    ...more,
  };
}

const WEBHOOK = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: "hooks" },
  webhooks: [
    {
      name: "check.example.com",
      clientConfig: { service: { name: "check", namespace: "default" }, caBundle: "Cg==" },
      rules: [{ apiGroups: ["example.com"], apiVersions: ["*"], operations: ["CREATE"], resources: ["*"] }],
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      failurePolicy: "Ignore",
    },
  ],
};

const CASES: readonly Case[] = [
  {
    name: "defaults, nulls, empty maps and lists, quantities in another form, a port without its protocol",
    object: workload(),
  },
  {
    name: "fields that nobody but others set, such as an injected sidecar",
    object: workload({ metadata: { name: "injected" } }),
    others: {
      manager: "sidecar-injector",
      patch: { spec: { template: { spec: { containers: [{ name: "proxy", image: "proxy:1" }] } } } },
    },
  },
  {
    name: "replicas of a workload with a scaler",
    object: workload({ metadata: { name: "scaled" } }),
    scaled: true,
    others: { manager: "kube-controller-manager", subresource: "scale", patch: { spec: { replicas: 7 } } },
  },
  {
    name: "text of a Secret that the server encodes",
    object: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "secret" },
      stringData: { token: "abc" },
      data: { other: "eHl6" },
    },
  },
  {
    name: "rules that are aggregated",
    object: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "aggregated" },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { aggregate: "yes" } }] },
      rules: [],
    },
    others: {
      manager: "clusterrole-aggregation-controller",
      patch: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
    },
  },
  {
    name: "a CA that is injected in place of a placeholder",
    object: WEBHOOK,
    others: {
      manager: "cainjector",
      patch: [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: "Y2VydGlmaWNhdGU=" }],
    },
  },
  {
    name: "metrics of an autoscaler at an older version of its API",
    object: {
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "old" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 70,
      },
    },
  },
  {
    name: "metrics of an autoscaler",
    object: {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "new" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
          { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1024Mi" } } },
        ],
      },
    },
  },
  {
    name: "numbers, and ports of a Service without protocol and address",
    object: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }], externalIPs: [] },
    },
  },
  {
    name: "the order of lists with keys",
    object: workload({
      metadata: { name: "ordered" },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            containers: [
              { name: "b", image: "b" },
              { name: "a", image: "a" },
            ],
          },
        },
      },
    }),
    others: {
      manager: "sorter",
      patch: [
        {
          op: "replace",
          path: "/spec/template/spec/containers",
          value: [
            { name: "a", image: "a" },
            { name: "b", image: "b" },
          ],
        },
      ],
    },
  },
];

describe.each(Object.keys(SERVERS))("no drift, member: %s", (kind) => {
  let server: Server;
  let people: KubeClient;
  let member: Member;
  const writes: string[] = [];

  beforeAll(async () => {
    server = await SERVERS[kind]!();
    people = new KubeClient(server.transport);
    member = connect();
  }, 120_000);

  afterAll(async () => {
    await member?.close();
    await server?.close();
  });

  function connect(): Member {
    return new Member({
      name: "member",
      clock: systemClock,
      logger: silentLogger,
      transport: (request) => {
        if (request.method !== "GET" && !request.path.includes("dryRun"))
          writes.push(`${request.method} ${request.path}`);
        return server.transport(request);
      },
    });
  }

  it.each(CASES)("is $name", async ({ object, scaled = false, others }) => {
    const manifest = asManifest(object);
    const rules: FieldRules = rulesOfCopy(manifest, scaled);
    const apply = (verify = false): Promise<ApplyResult> =>
      applyManifest(member, manifest, { retain: (desired) => desired, rules, verify });
    const nothing = { outcome: "unchanged", drift: [] };
    const seen = (version: string | undefined): Promise<void> =>
      eventually(() => expect(member.cached(refOf(manifest))?.metadata.resourceVersion).toBe(version));

    await seen((await apply()).object.metadata.resourceVersion);
    if (others !== undefined) {
      const { manager, patch, subresource } = others;
      const form = Array.isArray(patch) ? "json" : kindOfPatch(manifest);
      await people.patch(refOf(manifest), patch, form, {
        fieldManager: manager,
        ...(subresource === undefined ? {} : { subresource }),
      });
      await seen((await people.get(refOf(manifest))).metadata.resourceVersion);
    }
    const before = (await people.get(refOf(manifest))).metadata.resourceVersion;
    writes.length = 0;

    expect(await apply()).toMatchObject(nothing);
    expect(await apply(true)).toMatchObject(nothing);
    expect(writes).toEqual([]);

    await member.close();
    member = connect();
    await member.informer(manifest.apiVersion, manifest.kind).synced();
    const again = await apply();

    expect(again.drift).toEqual([]);
    expect((await people.get(refOf(manifest))).metadata.resourceVersion).toBe(
      // Who decides replicas and the like is said by an apply that leaves their values.
      others === undefined ? before : again.object.metadata.resourceVersion,
    );
  });
});

/** Lists of Pods merge by their keys, as in `kubectl patch`. */
function kindOfPatch({ kind }: KubeObject): "merge" | "strategic" {
  return kind === "Deployment" ? "strategic" : "merge";
}

function asManifest(object: Body): KubeObject {
  const metadata = object["metadata"] as Record<string, unknown>;
  const isClusterScoped = object["kind"] === "ClusterRole" || object["kind"] === "ValidatingWebhookConfiguration";
  // Each case is a whole object; what the table leaves out is the same for all.
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(isClusterScoped ? {} : { namespace: "default" }),
      labels: { "karmada.io/managed": "true" },
    },
  } as unknown as KubeObject;
}
