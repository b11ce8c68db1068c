import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";

let folder: string;
let test: TestServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-metrics-"));
  test = await startTestServer({ database: join(folder, "store.db"), authorization: "rbac" });
});

afterEach(async () => {
  await test.server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function metrics(from = test): Promise<string[]> {
  const answer = await from.server.handle({ method: "GET", path: "/metrics" });
  expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  return Buffer.from(answer.body as Uint8Array)
    .toString()
    .split("\n");
}

describe("/metrics", () => {
  it("counts requests under the reference's names and labels", async () => {
    await test.call("POST", CONFIG_MAPS, configMap("a"));
    await test.call("PATCH", `${CONFIG_MAPS}/a?fieldManager=me`, JSON.stringify(configMap("a")), {
      "content-type": "application/apply-patch+yaml",
    });
    await test.call("GET", `${CONFIG_MAPS}/none`);
    await test.call("GET", "/apis/apps/v1/deployments");
    await test.call("POST", `${CONFIG_MAPS}?dryRun=All`, configMap("b"));
    await test.call("GET", "/readyz/ping");

    const lines = await metrics();

    for (const line of [
      'apiserver_request_total{verb="POST",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="",code="201"} 1',
      'apiserver_request_total{verb="APPLY",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="",code="200"} 1',
      'apiserver_request_total{verb="GET",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="",code="404"} 1',
      'apiserver_request_total{verb="LIST",group="apps",version="v1",resource="deployments",subresource="",scope="cluster",component="apiserver",dry_run="",code="200"} 1',
      'apiserver_request_total{verb="POST",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="All",code="201"} 1',
      'apiserver_request_total{verb="GET",group="",version="",resource="",subresource="/readyz",scope="",component="",dry_run="",code="200"} 1',
      'apiserver_request_duration_seconds_count{verb="LIST",group="apps",version="v1",resource="deployments",subresource="",scope="cluster",component="apiserver",dry_run=""} 1',
      'apiserver_current_inflight_requests{request_kind="mutating"} 0',
      'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
      "apiserver_storage_refuses_writes 0",
      "apiserver_audit_event_total 0",
    ])
      expect(lines).toContain(line);
    expect(lines.some((line) => /^apiserver_storage_commit_duration_seconds_count [1-9]/.test(line))).toBe(true);
    expect(lines.some((line) => /^apiserver_storage_size_bytes\{.+\} [1-9]\d+$/.test(line))).toBe(true);
    expect(
      lines.some((line) =>
        /^apiserver_storage_objects\{resource="clusterroles.rbac.authorization.k8s.io"\} [1-9]/.test(line),
      ),
    ).toBe(true);
    expect(lines.some((line) => /^authorization_attempts_total\{result="allowed"\} [1-9]/.test(line))).toBe(true);
    for (const name of [
      "process_resident_memory_bytes",
      "process_cpu_seconds_total",
      "nodejs_eventloop_lag_p99_seconds",
    ])
      expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
  });

  it("counts open watches and their events until they end", async () => {
    const abort = new AbortController();
    const long =
      'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="configmaps",subresource="",scope="namespace",component="apiserver"}';
    const watch = await test.server.handle({
      method: "GET",
      path: `${CONFIG_MAPS}?watch=1&resourceVersion=1`,
      signal: abort.signal,
    });
    expect(watch.status).toBe(200);
    await test.call("POST", CONFIG_MAPS, configMap("a"));

    const during = await metrics();
    abort.abort();
    const after = await metrics();

    expect(during).toContain(`${long} 1`);
    expect(after).toContain(`${long} 0`);
    expect(
      during.some((line) =>
        /^apiserver_watch_events_total\{group="",version="v1",resource="configmaps"\} [1-9]/.test(line),
      ),
    ).toBe(true);
  });

  it("keeps what clients make up out of its labels", async () => {
    await test.call("GET", "/apis/apps/v1/nonsense");
    await test.call("GET", "/made/up");
    await test.call("BREW", `${CONFIG_MAPS}/a/teapot`);

    const text = (await metrics()).join("\n");

    expect(text).not.toMatch(/nonsense|made|teapot|BREW/i);
  });

  it("is for those who may read it, and apart for each server of a process", async () => {
    const other = await startTestServer();
    await other.call("GET", CONFIG_MAPS);
    const bob = { name: "bob", groups: ["system:authenticated"] };

    const refused = await test.server.handle({ method: "GET", path: "/metrics", user: bob });

    expect(refused.status).toBe(403);
    expect((await test.server.handle({ method: "HEAD", path: "/metrics" })).status).toBe(200);
    const list =
      'resource="configmaps",subresource="",scope="namespace",component="apiserver",dry_run="",code="200"} 1';
    expect((await metrics(other)).some((line) => line.endsWith(list))).toBe(true);
    expect((await metrics()).some((line) => line.endsWith(list))).toBe(false);
    await other.server.close();
  });
});
