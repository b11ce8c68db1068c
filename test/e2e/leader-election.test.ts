// Two control planes as processes of their own over one real kube-apiserver. The server's audit log and the members tell
// which of them wrote what: each connects from an address of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { ensureCertificates } from "../../fleets/apiserver/http/certificates.ts";
import { formatKubeconfig } from "../../fleets/apiserver/http/kubeconfig.ts";
import { type Listener, listen, type ServedApi } from "../../fleets/apiserver/http/listener.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { type HttpTransport, openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { LeaseSpec } from "../../kube/client/leader-election.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import { findReady } from "../../reconciler/controllers/clusters/cluster-object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildCommand } from "./support/child-agent.ts";
import { consistently, eventually as within } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";
import { at } from "./support/reading.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";

const assets = findKubeAssets();

const MEMBERS = ["member1", "member2"];
const ADDRESSES = { alpha: "127.0.0.11", beta: "127.0.0.12" } as const;
type Name = keyof typeof ADDRESSES;
const LEASE = ref("coordination.k8s.io/v1 Lease", "karmada-system", "flaghoist");
const LEASE_SECONDS = 4;
const TIMES = [
  `--leader-elect-lease-duration=${LEASE_SECONDS}s`,
  "--leader-elect-renew-deadline=2500ms",
  "--leader-elect-retry-period=400ms",
];
/** Processes start here, on machines that may be busy. */
const LIMIT_MS = 45_000;
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata", verbs: ["create", "update", "patch", "delete"] }, { level: "None" }],
};

/** A write that succeeded. */
interface Write {
  readonly atMs: number;
  readonly what: string;
}

function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return within(check, { withinMs: LIMIT_MS });
}

// One story, in the order in which it happens.
describe.skipIf(assets === undefined)("two control planes over one API server", { timeout: 3 * LIMIT_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-leader-"));
  const file = (name: string): string => join(folder, name);
  const members: SimulatedCluster[] = [];
  /** Writes that reached members, by the address that they came from. */
  const toMembers = new Map<string, Write[]>();
  const processes = new Map<Name, ChildCommand>();
  let server: RealApiServer;
  let listener: Listener;
  let http: HttpTransport;
  let client: KubeClient;

  beforeAll(async () => {
    writeFileSync(file("audit.yaml"), JSON.stringify(AUDIT_POLICY));
    server = await startRealApiServer(assets ?? "", [
      ...["--audit-policy-file", file("audit.yaml"), "--audit-log-path", file("audit.log")],
      "--audit-log-mode=blocking",
    ]);
    http = await openHttpTransportFile(server.kubeconfig);
    client = new KubeClient(http.send);
    for (const name of MEMBERS)
      members.push(await createSimulatedCluster({ name, clock: systemClock, logger: silentLogger, readyAfterMs: 20 }));
    listener = await listen(new Map(members.map((member) => [`/clusters/${member.name}`, watched(member)])), {
      host: "127.0.0.1",
      port: 0,
      directory: file("member-pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    const { issue, caPem } = await ensureCertificates(server.pki, ["127.0.0.1", "localhost"], systemClock);
    for (const name of ["alpha", "beta"] as const) {
      const credentials = await issue(name, ["system:masters"]);
      writeFileSync(file(`${name}.yaml`), formatKubeconfig([{ name, server: server.url, caPem, credentials }]));
      const args = ["up", "--store", file(`${name}.yaml`), "--data", file(name), "--cluster-failure-threshold=1h"];
      processes.set(
        name,
        new ChildCommand([...args, ...TIMES], folder, {
          NODE_OPTIONS: `--import ${join(import.meta.dirname, "support/from-address.mjs")}`,
          FROM_ADDRESS: ADDRESSES[name],
        }),
      );
    }
  }, LIMIT_MS);

  afterAll(async () => {
    for (const child of processes.values()) {
      child.signal("SIGCONT");
      await child.kill();
    }
    await http?.close();
    await listener?.close();
    for (const member of members) await member.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The same server; what is written is noted. */
  function watched(member: SimulatedCluster): ServedApi {
    const { server: served } = member;
    return new Proxy(served, {
      get(target, key) {
        if (key === "handle")
          return async (request: Parameters<ServedApi["handle"]>[0]) => {
            const response = await target.handle(request);
            const isWrite = request.method !== "GET" && !request.path.includes("dryRun=All");
            if (isWrite && response.status < 300 && !request.path.includes("/selfsubject"))
              note(request.peer ?? "", `${request.method} ${member.name}${request.path.split("?")[0] ?? ""}`);
            return response;
          };
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  function note(address: string, what: string): void {
    toMembers.set(address, [...(toMembers.get(address) ?? []), { atMs: Date.now(), what }]);
  }

  function child(name: Name): ChildCommand {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  }

  /** Successful writes of a process to the store and to members, at `sinceMs` or later. */
  function writesOf(name: Name, sinceMs = 0): string[] {
    const stored = readFileSync(file("audit.log"), "utf8")
      .split("\n")
      .flatMap((line) => {
        if (!line.endsWith("}")) return [];
        const entry = JSON.parse(line) as Record<string, unknown>;
        if (at(entry, "user", "username") !== name || Number(at(entry, "responseStatus", "code")) >= 300) return [];
        if (String(entry["requestURI"]).includes("dryRun=All")) return [];
        const { resource, namespace = "", name: object = "" } = entry["objectRef"] as Record<string, string>;
        const what = `${String(entry["verb"])} ${resource} ${namespace}/${object}`;
        return [{ atMs: Date.parse(String(entry["stageTimestamp"])), what }];
      });
    const sent = toMembers.get(ADDRESSES[name]) ?? [];
    return [...stored, ...sent].flatMap(({ atMs, what }) => (atMs >= sinceMs ? [what] : []));
  }

  async function lease(): Promise<LeaseSpec> {
    return ((await client.get(LEASE))["spec"] ?? {}) as LeaseSpec;
  }

  async function holder(): Promise<string> {
    try {
      return (await lease()).holderIdentity ?? "";
    } catch (error) {
      if (isNotFound(error)) return "";
      throw error;
    }
  }

  /** Waits until a process leads and all its loops run. */
  async function leads(name: Name): Promise<void> {
    await eventually(() => expect(child(name).log).toMatch(/Control plane on/));
  }

  /** Starts one beside a leader; resolves when it has seen that it has to wait. */
  async function standBy(name: Name): Promise<void> {
    child(name).start();
    await eventually(() => expect(child(name).log).toMatch(/waiting for the lease/));
  }

  /** Replicas of the workloads that were applied, by name. */
  const wanted: Record<string, number> = {};

  async function apply(names: readonly string[], replicas: number): Promise<void> {
    for (const name of names) wanted[name] = replicas;
    await applyAll(client, ...names.map((name) => deployment({ namespace: "shop", name, replicas })));
  }

  async function replicasIn(member: SimulatedCluster): Promise<Record<string, unknown>> {
    const { items } = await member.client.list("apps/v1", "Deployment", { namespace: "shop" });
    return Object.fromEntries(items.map((item) => [item.metadata.name, at(item, "spec", "replicas")]));
  }

  /** Waits until the members have exactly what is wanted, and the store a binding for each and a Work for each copy. */
  async function settled(): Promise<void> {
    const names = Object.keys(wanted).sort();
    const copies = Object.fromEntries(names.map((name) => [name, (wanted[name] ?? 0) / MEMBERS.length]));
    await eventually(async () => {
      for (const member of members) expect(await replicasIn(member), member.name).toEqual(copies);
    });
    const bindings = await client.list("work.karmada.io/v1alpha2", "ResourceBinding", { namespace: "shop" });
    expect(bindings.items.map(({ metadata }) => metadata.name).sort()).toEqual(
      names.map((name) => `${name}-deployment`),
    );
    const works = await client.list("work.karmada.io/v1alpha1", "Work");
    const ofBindings = works.items.filter(
      ({ metadata }) => metadata.annotations?.["resourcebinding.karmada.io/name"] !== undefined,
    );
    expect(ofBindings).toHaveLength(names.length * MEMBERS.length);
    await eventually(async () => {
      for (const name of names) {
        const template = await client.get(ref("apps/v1 Deployment", "shop", name));
        expect(at(template, "status", "readyReplicas"), name).toBe(wanted[name]);
      }
    });
  }

  it("lets one of them write, to the store and to members; the other one waits", async () => {
    child("alpha").start();
    await leads("alpha");
    const leader = await holder();
    await standBy("beta");
    for (const { name } of members)
      await applyAll(
        client,
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name, namespace: "karmada-cluster" },
          stringData: { kubeconfig: listener.adminKubeconfig(`/clusters/${name}`) },
        },
        {
          apiVersion: "cluster.karmada.io/v1alpha1",
          kind: "Cluster",
          metadata: { name },
          spec: {
            syncMode: "Push",
            apiEndpoint: `${listener.url}/clusters/${name}`,
            secretRef: { namespace: "karmada-cluster", name },
          },
        },
      );
    await eventually(async () => {
      const { items } = await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
      expect(items.map((cluster) => findReady(cluster)?.status)).toEqual(["True", "True"]);
    });
    await applyAll(client, namespaceObject("shop"), policy({ namespace: "shop", weights: { member1: 1, member2: 1 } }));
    await apply(["web", "api"], 4);
    await settled();

    expect(await holder()).toBe(leader);
    const written = writesOf("alpha");
    expect(written.filter((what) => what.startsWith("create works")).length).toBeGreaterThan(0);
    expect(written.filter((what) => what.startsWith("PATCH member1/apis/apps/v1")).length).toBeGreaterThan(0);
    expect(writesOf("beta")).toEqual([]);
    // Nobody else wrote to members, either: not from an address that is nobody's.
    expect([...toMembers.keys()]).toEqual([ADDRESSES.alpha]);
  });

  it("has what a killed leader left half done finished by the other one, when the lease has run out", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `app-${i}`);
    const before = writesOf("alpha").length;
    const applying = apply(names, 6);
    // In the middle of it: something is written, not all of it.
    await eventually(() => expect(writesOf("alpha").length).toBeGreaterThan(before + 8));
    await child("alpha").kill();
    await applying;
    const left = await client.list("work.karmada.io/v1alpha1", "Work");
    expect(left.items.length).toBeLessThan((names.length + 2) * MEMBERS.length);
    const dead = await holder();

    await leads("beta");

    expect(await holder()).not.toBe(dead);
    await settled();
  });

  it("has a leader that stood still write nothing any more, say so and end", async () => {
    await standBy("alpha");
    child("beta").signal("SIGSTOP");
    await leads("alpha");
    // What it would do at once, were it still the leader.
    await apply(["web", "api"], 8);
    await settled();
    const handedOverMs = Date.now();
    child("beta").signal("SIGCONT");

    expect(await child("beta").ended()).toBe(1);
    expect(child("beta").log).toMatch(/lost the lease: another control plane may act by now, and this one ends/);
    expect(writesOf("beta", handedOverMs)).toEqual([]);
    await settled();
  });

  it("has a leader that cannot renew its lease stop and end before the other one begins", async () => {
    await standBy("beta");
    await denyLease("alpha");

    expect(await child("alpha").ended()).toBe(1);
    const endedMs = Date.now();
    expect(child("alpha").log).toMatch(/could not take or renew the lease.*no lease for alpha/);
    expect(child("alpha").log).toMatch(/lost the lease: another control plane may act by now, and this one ends/);
    // Its lease holds still: nobody has taken over while it was there.
    expect(writesOf("beta", endedMs - LEASE_SECONDS * 1000)).toEqual([]);
    await leads("beta");
    await apply(["web", "api"], 2);
    await settled();
  });

  it("is not disturbed by the end of one that only waits", async () => {
    await allowLease();
    await standBy("alpha");
    const webhooks = ref("admissionregistration.k8s.io/v1 MutatingWebhookConfiguration", "", "mutating-config");
    const { uid } = (await client.get(webhooks)).metadata;

    expect(await child("alpha").kill("SIGTERM")).toBe(0);

    expect(child("alpha").log).toMatch(/stopping: this process did not lead/);
    expect((await client.get(webhooks)).metadata.uid).toBe(uid);
    expect(
      (await client.find(ref("apiregistration.k8s.io/v1 APIService", "", "v1alpha1.cluster.karmada.io")))?.metadata
        .labels,
    ).toMatchObject({ "app.kubernetes.io/managed-by": "flaghoist" });
    await apply(["web"], 4);
    await settled();
  });

  it("gives the lease back when it is asked to end, so that the other one need not wait", async () => {
    const leader = await holder();
    await standBy("alpha");

    expect(await child("beta").kill("SIGTERM")).toBe(0);

    // Free or taken, as soon as the process is gone: not held on until it runs out.
    expect(await holder()).not.toBe(leader);
    await leads("alpha");
    await apply(["web"], 6);
    await settled();
    const sinceMs = Date.now();
    await consistently(() => expect(writesOf("beta", sinceMs)).toEqual([]), { forMs: 300 });
  });

  const DENIAL = "no-lease";

  /** The API server refuses renewals of one process, and of nobody else. */
  async function denyLease(name: Name): Promise<void> {
    const api = "admissionregistration.k8s.io/v1";
    await applyAll(
      client,
      {
        apiVersion: api,
        kind: "ValidatingAdmissionPolicy",
        metadata: { name: DENIAL },
        spec: {
          failurePolicy: "Fail",
          matchConstraints: {
            resourceRules: [
              { apiGroups: ["coordination.k8s.io"], apiVersions: ["v1"], operations: ["*"], resources: ["leases"] },
            ],
          },
          validations: [{ expression: `request.userInfo.username != '${name}'`, message: `no lease for ${name}` }],
        },
      },
      {
        apiVersion: api,
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name: DENIAL },
        spec: { policyName: DENIAL, validationActions: ["Deny"] },
      },
    );
  }

  async function allowLease(): Promise<void> {
    const api = "admissionregistration.k8s.io/v1";
    for (const kind of ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"])
      await client.delete(ref(`${api} ${kind}`, "", DENIAL));
  }
});
