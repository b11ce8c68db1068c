import { describe, expect, it } from "vitest";
import type { ApiRequest, ApiResponse } from "../../kube/client/transport.ts";
import { throughStoreVersion } from "./cluster-versions.ts";

const PUBLIC = "cluster.karmada.io/v1alpha1";
const STORE = "cluster.karmada.io/v1alpha1-store";
const JSON_TYPE = { "content-type": "application/json" };

function cluster(apiVersion: string) {
  return {
    apiVersion,
    kind: "Cluster",
    metadata: {
      name: "a",
      annotations: { note: `${PUBLIC} and ${STORE}` },
      managedFields: [
        { apiVersion, manager: "m" },
        { apiVersion: "v1", manager: "n" },
      ],
    },
    spec: { id: PUBLIC },
  };
}

/** Sends one request and answers with what reached the server, and what came back. */
async function pass(request: Partial<ApiRequest> & { readonly path: string }, answer: unknown = {}) {
  const seen: ApiRequest[] = [];
  const transport = throughStoreVersion(async (given) => {
    seen.push(given);
    return { status: 200, headers: JSON_TYPE, body: Buffer.from(JSON.stringify(answer)) };
  });
  const got: ApiResponse = await transport({ method: "GET", ...request });
  const sent = seen[0]!;
  return {
    sent: {
      path: sent.path,
      headers: sent.headers,
      body: sent.object ?? (sent.body === undefined ? undefined : JSON.parse(String(sent.body))),
    },
    got: JSON.parse(Buffer.from(got.body as Uint8Array).toString()),
  };
}

describe("throughStoreVersion", () => {
  it("asks for the version of the store, and answers with the public one", async () => {
    const { sent, got } = await pass({ path: `/apis/${PUBLIC}/clusters/a?x=${PUBLIC}` }, cluster(STORE));

    expect(sent.path).toBe(`/apis/${STORE}/clusters/a?x=${PUBLIC}`);
    expect(got).toEqual(cluster(PUBLIC));
  });

  it("renames lists, tables and refusals", async () => {
    const list = { apiVersion: STORE, kind: "ClusterList", items: [cluster(STORE)] };
    expect((await pass({ path: `/apis/${PUBLIC}/clusters` }, list)).got).toEqual({
      apiVersion: PUBLIC,
      kind: "ClusterList",
      items: [cluster(PUBLIC)],
    });
    const part = { apiVersion: "meta.k8s.io/v1", metadata: { managedFields: [{ apiVersion: STORE }] } };
    const cells = ["a", "", "Push", null, "1s", '["x","y"]', null, null, null, null];
    const table = { kind: "Table", rows: [{ cells, object: part }] };
    expect((await pass({ path: `/apis/${PUBLIC}/clusters` }, table)).got.rows).toEqual([
      {
        cells: ["a", "", "Push", "Unknown", "1s", "x,y", "<none>", "<none>", "", "<none>"],
        object: { apiVersion: "meta.k8s.io/v1", metadata: { managedFields: [{ apiVersion: PUBLIC }] } },
      },
    ]);
    const status = { kind: "Status", apiVersion: "v1", message: `conflict with "m" using ${STORE}: .spec` };
    expect((await pass({ path: `/apis/${PUBLIC}/clusters/a` }, status)).got.message).toBe(
      `conflict with "m" using ${PUBLIC}: .spec`,
    );
  });

  it.each([
    ["an object", "application/json", JSON.stringify(cluster(PUBLIC)), cluster(STORE)],
    ["YAML", "application/yaml", `apiVersion: ${PUBLIC}\nkind: Cluster\n`, { apiVersion: STORE, kind: "Cluster" }],
    ["an apply in YAML", "application/apply-patch+yaml", `apiVersion: ${PUBLIC}\n`, { apiVersion: STORE }],
    [
      "a JSON patch",
      "application/json-patch+json",
      JSON.stringify([
        { op: "replace", path: "/metadata/managedFields", value: [{ apiVersion: PUBLIC }] },
        { op: "test", path: "/metadata/managedFields/0", value: { apiVersion: PUBLIC } },
        { op: "add", path: "/spec/id", value: PUBLIC },
      ]),
      [
        { op: "replace", path: "/metadata/managedFields", value: [{ apiVersion: STORE }] },
        { op: "test", path: "/metadata/managedFields/0", value: { apiVersion: STORE } },
        { op: "add", path: "/spec/id", value: PUBLIC },
      ],
    ],
  ])("renames %s that is sent", async (_what, type, body, expected) => {
    const path = `/apis/${PUBLIC}/clusters/a`;

    const { sent } = await pass({ method: "PATCH", path, body, headers: { "content-type": type } });

    expect(sent.body).toEqual(expected);
  });

  it("asks for nothing but JSON", async () => {
    const path = `/apis/${PUBLIC}/clusters`;
    const accept = "application/vnd.kubernetes.protobuf,application/json;as=Table;v=v1;g=meta.k8s.io,application/yaml";

    expect((await pass({ path, headers: { accept } })).sent.headers?.["accept"]).toBe(
      "application/json;as=Table;v=v1;g=meta.k8s.io",
    );
    expect((await pass({ path, headers: { accept: "application/yaml" } })).sent.headers?.["accept"]).toBe(
      "application/json",
    );
  });

  it("renames the events of a watch, however they are cut", async () => {
    const text = `${JSON.stringify({ type: "ADDED", object: cluster(STORE) })}\n${JSON.stringify({ type: "BOOKMARK", object: { apiVersion: STORE, metadata: {} } })}\n`;
    async function* chunks() {
      for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7));
    }
    const transport = throughStoreVersion(async () => ({ status: 200, headers: JSON_TYPE, body: chunks() }));

    const answer = await transport({ method: "GET", path: `/apis/${PUBLIC}/clusters?watch=true` });

    let got = "";
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) got += Buffer.from(chunk).toString();
    expect(
      got
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { type: "ADDED", object: cluster(PUBLIC) },
      { type: "BOOKMARK", object: { apiVersion: PUBLIC, metadata: {} } },
    ]);
  });

  it("tells of the public version alone, with what the store serves", async () => {
    const metadata = { name: "cluster.karmada.io" };
    const versions = [
      { version: "v1alpha1", freshness: "Stale" },
      { version: "v1alpha1-store", resources: [{ resource: "clusters" }] },
    ];

    const { got } = await pass({ path: "/apis" }, { items: [{ metadata, versions }, { metadata: { name: "apps" } }] });

    expect(got.items).toEqual([
      { metadata, versions: [{ version: "v1alpha1", resources: [{ resource: "clusters" }] }] },
      { metadata: { name: "apps" } },
    ]);
  });

  it("leaves everything else alone", async () => {
    const body = JSON.stringify(cluster(PUBLIC));

    const { sent } = await pass({ method: "POST", path: "/apis/cluster.karmada.io/v1alpha10/clusters", body });

    expect(sent).toMatchObject({ path: "/apis/cluster.karmada.io/v1alpha10/clusters", body: cluster(PUBLIC) });
  });
});
