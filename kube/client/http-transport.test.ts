import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import type { KubeObject } from "../object.ts";
import { stringifyYaml } from "../yaml.ts";
import { type HttpTransport, openHttpTransport, openHttpTransportFile } from "./http-transport.ts";
import { KubeClient } from "./kube-client.ts";
import { isNotFound, isUnreachable } from "./status-error.ts";

const folder = mkdtempSync(join(tmpdir(), "flaghoist-transport-"));
let server: ApiServer;
let listener: Listener;
let transport: HttpTransport;
let client: KubeClient;

beforeAll(async () => {
  server = await createApiServer({ name: "test", clock: systemClock, logger: silentLogger });
  listener = await listen(new Map([["", server]]), {
    host: "127.0.0.1",
    port: 0,
    directory: folder,
    clock: systemClock,
    logger: silentLogger,
  });
  transport = await openHttpTransport({ kubeconfig: listener.adminKubeconfig() });
  client = new KubeClient(transport.send);
});

afterAll(async () => {
  await transport?.close();
  await listener?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function configMap(name: string, data: Record<string, string> = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

describe("openHttpTransport", () => {
  it("carries requests and answers", async () => {
    const created: KubeObject = await client.create<KubeObject>(configMap("a", { text: "grüße 🚢" }));
    await client.patch(
      { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "a" },
      { data: { more: "x" } },
      "merge",
    );

    const read = await client.get({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "a" });
    expect(read["data"]).toEqual({ text: "grüße 🚢", more: "x" });
    expect(read.metadata.uid).toBe(created.metadata.uid);
  });

  it("hands refusals over as the server's own", async () => {
    const missing = client.get({ apiVersion: "v1", kind: "Secret", namespace: "default", name: "none" });

    await expect(missing).rejects.toSatisfy(isNotFound);
    await expect(missing).rejects.toMatchObject({ message: 'secrets "none" not found' });
  });

  it("carries a watch, beside as many requests as there are connections", async () => {
    const { resourceVersion } = await client.list("v1", "ConfigMap", { namespace: "default" });
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      const options = { namespace: "default", resourceVersion, signal: abort.signal };
      for await (const event of client.watch("v1", "ConfigMap", options)) {
        if (event.type === "ADDED") seen.push(event.object.metadata.name ?? "");
        if (seen.length === 30) return;
      }
    })();

    const names = Array.from({ length: 30 }, (_, i) => `watched-${i}`);
    await Promise.all(names.map((name) => client.create(configMap(name))));
    await watching;
    abort.abort();

    expect(seen.sort()).toEqual(names.sort());
  });

  it("keeps integers that a number cannot hold", async () => {
    await client.create({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "counters.example.org" },
      spec: {
        group: "example.org",
        scope: "Cluster",
        names: { plural: "counters", singular: "counter", kind: "Counter", listKind: "CounterList" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: { value: { type: "integer", format: "int64" } },
              },
            },
          },
        ],
      },
    });
    await client.mapper.refresh();
    const counter = { apiVersion: "example.org/v1", kind: "Counter", metadata: { name: "c" }, value: 2n ** 60n + 1n };

    const created = await client.create(counter);
    const read = await client.get({ apiVersion: "example.org/v1", kind: "Counter", name: "c" });

    expect(created.value).toBe(2n ** 60n + 1n);
    expect(read["value"]).toBe(2n ** 60n + 1n);
  });

  it("says that nobody answers, where and why, without the query", async () => {
    const closed = await openHttpTransport({
      kubeconfig: kubeconfig({ server: "https://127.0.0.1:1" }),
    });

    const answer = closed.send({ method: "GET", path: "/version?token=secret" });

    await expect(answer).rejects.toSatisfy(isUnreachable);
    await expect(answer).rejects.toThrow(/^no answer to GET https:\/\/127\.0\.0\.1:1\/version: .*ECONNREFUSED/);
    await closed.close();
  });

  it("does not talk to a server that another authority vouches for", async () => {
    const url = listener.url;
    const stranger = await openHttpTransport({ kubeconfig: kubeconfig({ server: url }) });

    await expect(stranger.send({ method: "GET", path: "/version" })).rejects.toThrow(/certificate/);
    await stranger.close();
  });

  it("rejects with the signal's reason when the request is given up", async () => {
    const abort = new AbortController();
    abort.abort(new Error("not needed"));

    await expect(transport.send({ method: "GET", path: "/version", signal: abort.signal })).rejects.toThrow(
      "not needed",
    );
  });

  it.each<[string, string, string | undefined]>([
    ["no YAML", "{", undefined],
    ["no clusters", "apiVersion: v1\nkind: Config\n", undefined],
    ["an unknown context", kubeconfig({ server: "https://a.example" }), "other"],
    ["an address without encryption", kubeconfig({ server: "http://a.example" }), undefined],
    ["an address that is none", kubeconfig({ server: "not a url" }), undefined],
  ])("refuses a kubeconfig with %s", async (_what, text, context) => {
    await expect(openHttpTransport({ kubeconfig: text, context })).rejects.toMatchObject({
      code: "kubeconfig-invalid",
    });
  });

  it("says which file it cannot read", async () => {
    await expect(openHttpTransportFile(join(folder, "none"))).rejects.toMatchObject({
      code: "kubeconfig-invalid",
      message: expect.stringContaining(join(folder, "none")),
    });
  });
});

function kubeconfig(cluster: Record<string, unknown>): string {
  return stringifyYaml({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    clusters: [{ name: "it", cluster }],
    users: [{ name: "it", user: {} }],
  });
}
