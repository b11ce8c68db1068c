// Rules of single kinds that real clients showed to be missing.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const PODS = "/api/v1/namespaces/default/pods";
const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const MERGE = { "content-type": "application/merge-patch+json" };
const TEMPLATE = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i:1" }] } };
const WORKLOAD = { selector: { matchLabels: { a: "b" } }, template: TEMPLATE };

let test: TestServer;

beforeEach(async () => {
  test = await startTestServer();
});

afterEach(() => test.server.close());

describe("a Deployment", () => {
  it("has another generation when its annotations change, and not when its labels do", async () => {
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: WORKLOAD };
    await test.call("POST", DEPLOYMENTS, deployment);

    const annotated = await test.call("PATCH", `${DEPLOYMENTS}/web`, { metadata: { annotations: { a: "b" } } }, MERGE);
    const labelled = await test.call("PATCH", `${DEPLOYMENTS}/web`, { metadata: { labels: { a: "b" } } }, MERGE);

    expect(annotated.body["metadata"]?.["generation"]).toBe(2);
    expect(labelled.body["metadata"]?.["generation"]).toBe(2);
  });
});

describe("a DaemonSet", () => {
  it("counts changes of its template, and not another order of fields in it", async () => {
    const path = "/apis/apps/v1/namespaces/default/daemonsets";
    const set = { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent" }, spec: WORKLOAD };
    const generation = "deprecated.daemonset.template.generation";
    const created = await test.call("POST", path, set);
    expect(created.body["metadata"]?.["annotations"]).toMatchObject({ [generation]: "1" });

    const { spec, metadata } = structuredClone(created.body) as unknown as {
      spec: { template: { spec: Record<string, unknown> } };
      metadata: Record<string, unknown>;
    };
    spec.template.spec = Object.fromEntries(Object.entries(spec.template.spec).reverse());
    const reordered = await test.call("PUT", `${path}/agent`, { ...set, metadata, spec });
    const template = { metadata: { labels: { c: "d" } } };
    const changed = await test.call("PATCH", `${path}/agent`, { spec: { template } }, MERGE);

    expect(reordered.body["metadata"]?.["annotations"]).toMatchObject({ [generation]: "1" });
    expect(changed.body["metadata"]?.["annotations"]).toMatchObject({ [generation]: "2" });
  });
});

describe("a StatefulSet", () => {
  it("has no maxUnavailable, which is behind a feature gate", async () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 1, maxUnavailable: 2 } };
    const set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db" },
      spec: { ...WORKLOAD, serviceName: "db", updateStrategy },
    };
    const path = "/apis/apps/v1/namespaces/default/statefulsets";

    const created = await test.call("POST", path, set);
    const patched = await test.call("PATCH", `${path}/db`, { spec: { updateStrategy } }, MERGE);

    for (const { body } of [created, patched])
      expect(body["spec"]?.["updateStrategy"]).toEqual({ type: "RollingUpdate", rollingUpdate: { partition: 1 } });
  });

  it("mounts the volumes of its claim templates", async () => {
    const container = { name: "c", image: "i:1", volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db" },
      spec: { ...WORKLOAD, serviceName: "db", template: { ...TEMPLATE, spec: { containers: [container] } } },
    };
    const path = "/apis/apps/v1/namespaces/default/statefulsets";

    expect((await test.call("POST", path, set)).status).toBe(422);
    expect(
      (await test.call("POST", path, { ...set, spec: { ...set.spec, volumeClaimTemplates: [claim] } })).status,
    ).toBe(201);
  });
});

describe("a Node", () => {
  it("has its one range of addresses in the list of ranges too", async () => {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { podCIDR: "10.1.0.0/24" } };

    const { body } = await test.call("POST", "/api/v1/nodes", node);

    expect(body["spec"]?.["podCIDRs"]).toEqual(["10.1.0.0/24"]);
  });
});

describe("a CertificateSigningRequest", () => {
  /** Asks for a certificate of the name "ann". */
  const pem = [
    "-----BEGIN CERTIFICATE REQUEST-----",
    "MIHIMHACAQAwDjEMMAoGA1UEAwwDYW5uMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD",
    "QgAEjd6vx98gQEGRRaPUhx63tJxerSgLwDwAjw6EtCmCQVEZEig61WEgnNW9WBpw",
    "tuZKKSAMPejyDMYaEk1mR3IapaAAMAoGCCqGSM49BAMCA0gAMEUCIQCWXr+yrPPJ",
    "i3vGInsqFGqTodGVlaKROkQCzziKlM7jQQIgREEBqcV/ZMPrgtTcwWT6/chbvhbe",
    "hgGV05puKhu41RM=",
    "-----END CERTIFICATE REQUEST-----",
    "",
  ].join("\n");
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "ann" },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: "example.com/signer",
      usages: ["client auth"],
      username: "somebody else",
    },
  };

  it("names who asks, whatever the body says", async () => {
    const user = { name: "ann", groups: ["dev", "system:authenticated"], uid: "7", extra: { "example.com/a": ["b"] } };
    const answer = await test.server.handle({
      method: "POST",
      path: REQUESTS,
      headers: {},
      user,
      body: JSON.stringify(request),
    });

    const { spec } = JSON.parse(Buffer.from(answer.body as Uint8Array).toString()) as { spec: object };
    expect(spec).toMatchObject({ username: "ann", uid: "7", groups: user.groups, extra: user.extra });
  });

  it("does not change after it was made", async () => {
    await test.call("POST", REQUESTS, request);

    const answer = await test.call("PATCH", `${REQUESTS}/ann`, { spec: { signerName: "example.com/other" } }, MERGE);

    expect(answer.status).toBe(200);
    expect(answer.body["spec"]?.["signerName"]).toBe("example.com/signer");
  });
});

describe("a Pod", () => {
  async function createPod(nodeName: string | undefined): Promise<void> {
    const spec = { ...TEMPLATE.spec, ...(nodeName === undefined ? {} : { nodeName }) };
    await test.call("POST", PODS, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec });
  }

  it("that no node has taken has logged nothing, and cannot be entered", async () => {
    await createPod(undefined);

    expect((await test.call("GET", `${PODS}/p/log`)).status).toBe(204);
    const exec = await test.call("POST", `${PODS}/p/exec?command=ls`);
    expect([exec.status, exec.body["message"]]).toEqual([400, "pod p does not have a host assigned"]);
  });

  it("on a node is out of reach", async () => {
    await createPod("n1");

    const log = await test.call("GET", `${PODS}/p/log`);
    expect([log.status, log.body["message"]]).toEqual([404, 'pods "n1" not found']);
  });
});

describe("a patch whose result cannot be decoded", () => {
  it("is quoted in the message, fields by name", async () => {
    await test.call("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "c" } });

    const patch = { data: { a: { b: "<" } }, annotation: 1 };
    const { body } = await test.call("PATCH", "/api/v1/namespaces/default/configmaps/c", patch, MERGE);

    const quoted = String(body["message"]).slice(' "" is invalid: patch: Invalid value: '.length).split(": json: ")[0]!;
    expect(JSON.parse(quoted)).toMatch(/^\{"annotation":1,"apiVersion":"v1","data":\{"a":\{"b":"\\u003c"\}\},"kind"/);
  });
});
