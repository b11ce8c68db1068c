import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Fault } from "../../../api/fleet-faults.ts";
import { type HttpTransport, openHttpTransport } from "../../../kube/client/http-transport.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { createFleet, type FleetOptions, type SimulatedFleet } from "../simulated-fleet.ts";
import { type ServedFleet, serveFleet } from "./serve-fleet.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Setting {
  readonly fleet: SimulatedFleet;
  readonly served: ServedFleet;
  readonly file: string;
}

async function start(options: Partial<FleetOptions> = {}): Promise<Setting> {
  const directory = mkdtempSync(join(tmpdir(), "flaghoist-fleet-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const fleet = await createFleet({ clusters: 2, ...options });
  closers.push(() => fleet.close());
  const served = await serveFleet(fleet, { directory, logger: silentLogger });
  closers.push(() => served.close());
  const file = join(directory, "kubeconfig");
  writeFileSync(file, served.kubeconfig, { mode: 0o600 });
  return { fleet, served, file };
}

async function connect({ served }: Setting, context: string): Promise<HttpTransport> {
  const transport = await openHttpTransport({ kubeconfig: served.kubeconfig, context });
  closers.push(() => transport.close());
  return transport;
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function kubectl({ file }: Setting, ...args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    const own = ["--kubeconfig", file, "--cache-dir", `${file}.cache`];
    execFile("kubectl", [...own, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

// The library that makes certificates takes seconds to load where much else runs.
vi.setConfig({ testTimeout: 60_000 });

const hasKubectl = await new Promise<boolean>((resolve) => {
  execFile("kubectl", ["version", "--client"], (error) => resolve(error === null));
});
if (!hasKubectl) console.log("skipped with kubectl: there is none on the PATH");

const member1 = { clusters: ["member1"] };

describe("a served fleet", () => {
  it("has a context for each cluster, and credentials that hold in that cluster only", async () => {
    const setting = await start();
    const { contexts, users } = parseYaml(setting.served.kubeconfig) as {
      contexts: { name: string }[];
      users: { name: string; user: object }[];
    };
    expect(contexts.map(({ name }) => name)).toEqual(["member1", "member2"]);

    const config = parseYaml(setting.served.kubeconfig) as { contexts: { context: { user: string } }[] };
    for (const { context } of config.contexts) context.user = users[0]!.name;
    const mixed = await openHttpTransport({ kubeconfig: JSON.stringify(config), context: "member2" });
    closers.push(() => mixed.close());

    expect((await (await connect(setting, "member1")).send({ method: "GET", path: "/api/v1/nodes" })).status).toBe(200);
    expect((await mixed.send({ method: "GET", path: "/api/v1/nodes" })).status).toBe(401);
  });

  it("manages faults, status and the clock over the network", async () => {
    const setting = await start({ pace: "stepped", startMs: Date.UTC(2026, 0, 1) });
    const { served } = setting;
    const config = parseYaml(served.kubeconfig) as { clusters: { cluster: { server: string } }[] };
    for (const { cluster } of config.clusters) cluster.server = served.url;
    const root = await openHttpTransport({ kubeconfig: JSON.stringify(config) });
    closers.push(() => root.close());
    const ask = async (method: string, path: string, body?: unknown): Promise<[number, unknown]> => {
      const answer = await root.send({ method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      return [answer.status, JSON.parse(Buffer.from(answer.body as Uint8Array).toString("utf8"))];
    };

    const fault: Fault = { type: "down", target: member1, name: "cable", for: "10m" };
    expect(await ask("POST", "/fleet/faults", fault)).toMatchObject([
      201,
      { id: "cable", state: "active", clusters: ["member1"], until: "2026-01-01T00:10:00.000Z" },
    ]);
    expect(await ask("POST", "/fleet/faults", { type: "slow", target: member1 })).toMatchObject([
      409,
      { kind: "Status", message: expect.stringContaining("contradicts cable (down)") },
    ]);
    expect(await ask("POST", "/fleet/faults", { type: "slow" })).toMatchObject([
      422,
      { message: "target: is required" },
    ]);
    expect(await ask("GET", "/fleet/status")).toMatchObject([
      200,
      { clock: { pace: "stepped" }, clusters: [{ name: "member1", nodes: 3, faults: ["cable"] }, { faults: [] }] },
    ]);
    expect(await ask("POST", "/fleet/advance", { for: "10m" })).toEqual([201, { now: "2026-01-01T00:10:00.000Z" }]);
    expect(await ask("GET", "/fleet/faults")).toMatchObject([200, { faults: [{ id: "cable", state: "over" }] }]);
    expect((await ask("DELETE", "/fleet/faults/cable"))[0]).toBe(404);
    expect((await ask("GET", "/nothing"))[0]).toBe(404);
    expect((await (await connect(setting, "member1")).send({ method: "GET", path: "/version" })).status).toBe(200);
  });

  it("manages nothing for strangers", async () => {
    const { served } = await start();
    const config = parseYaml(served.kubeconfig) as {
      clusters: { cluster: { server: string } }[];
      users: { user: object }[];
    };
    for (const { cluster } of config.clusters) cluster.server = served.url;
    for (const each of config.users) each.user = {};
    const stranger = await openHttpTransport({ kubeconfig: JSON.stringify(config) });
    closers.push(() => stranger.close());

    expect((await stranger.send({ method: "GET", path: "/fleet/faults" })).status).toBe(401);
  });

  it("resets connections to a cluster that is down, and no others", async () => {
    const setting = await start();
    const [one, two] = [await connect(setting, "member1"), await connect(setting, "member2")];
    setting.fleet.faults.begin({ type: "down", target: member1 });

    await expect(one.send({ method: "GET", path: "/version" })).rejects.toMatchObject({ code: "api-unreachable" });
    expect((await two.send({ method: "GET", path: "/version" })).status).toBe(200);

    setting.fleet.faults.endAll();
    expect((await one.send({ method: "GET", path: "/version" })).status).toBe(200);
  });
});

describe.skipIf(!hasKubectl)("a served fleet, to kubectl", () => {
  it.each<[string, Fault, readonly string[], RegExp]>([
    ["refused connections", { type: "down", target: member1 }, ["get", "nodes"], /stream error|connection reset/],
    [
      "no answer",
      { type: "hang", target: member1 },
      ["get", "nodes", "--request-timeout=1s"],
      /deadline exceeded|timeout/i,
    ],
    [
      "expired credentials",
      { type: "expired-credentials", target: member1 },
      ["get", "nodes"],
      /must be logged in to the server/,
    ],
    ["errors", { type: "errors", target: member1 }, ["get", "nodes"], /an error on the server/],
    [
      "a missing group",
      { type: "api-group-missing", target: member1, group: "apps" },
      ["get", "deployments"],
      /doesn't have a resource type "deployments"/,
    ],
    [
      "a partition from its users",
      { type: "partition", target: member1, from: ["users"], mode: "reject" },
      ["get", "nodes"],
      /stream error|connection reset/,
    ],
  ])("shows %s, and is as before afterwards", async (_what, fault, args, message) => {
    const setting = await start();
    const id = setting.fleet.faults.begin(fault);

    const during = await kubectl(setting, "--context", "member1", ...args);
    const other = await kubectl(setting, "--context", "member2", "get", "nodes");
    setting.fleet.faults.end(id);
    const after = await kubectl(setting, "--context", "member1", "get", "nodes,deployments.apps");

    expect(during.err).toMatch(message);
    expect(during.code).not.toBe(0);
    expect(other.out).toContain("member2-node-0");
    expect(after.code).toBe(0);
  });

  it("tells parties apart by who a request comes from", async () => {
    const setting = await start();
    setting.fleet.faults.begin({ type: "partition", target: member1, from: ["cluster:member2"], mode: "reject" });

    const user = await kubectl(setting, "--context", "member1", "get", "nodes");
    const peer = await kubectl(
      setting,
      "--context",
      "member1",
      "--as",
      "system:cluster:member2",
      "--as-group",
      "system:masters",
      "get",
      "nodes",
    );

    expect(user.code).toBe(0);
    expect(peer.code).not.toBe(0);
  });
});
