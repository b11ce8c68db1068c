// Running the embedded endpoint as an operator does: a process, its signals, its files.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../reconciler/cli/main.ts";
import { messageOf } from "../../runtime/errors.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually } from "./support/eventually.ts";
import { hasKubectl } from "./support/kubectl.ts";
import { configMap } from "./support/manifests.ts";

const withKubectl = hasKubectl();
let folder: string;
let data: string;
let plane: ChildPlane | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-operations-"));
  data = join(folder, "data");
});

afterEach(async () => {
  await plane?.kill();
  plane = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(...options: string[]): Promise<ChildPlane> {
  plane = new ChildPlane(data, await freePort(), options);
  await plane.start();
  return plane;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function readyText(running: ChildPlane): Promise<string> {
  return running.client.raw("GET", "/readyz").then(String, (error: unknown) => messageOf(error));
}

async function flaghoist(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isTerminal: false,
    env: {},
    cwd: folder,
  };
  const code = await runCli(args, io, new AbortController().signal);
  return { code, out, err };
}

describe("flaghoist up, told to stop", { timeout: 60_000 }, () => {
  it.skipIf(!withKubectl)("lets kubectl get -w see the last change and end without an error", async () => {
    const running = await start();
    const kubectl = spawn("kubectl", ["get", "configmaps", "-w", "-o", "name"], {
      env: { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: join(data, "kubeconfig") },
    });
    let out = "";
    let err = "";
    kubectl.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    kubectl.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => kubectl.once("close", resolve));
    await eventually(() => expect(out).toContain("configmap/kube-root-ca.crt"));

    await running.client.create(configMap("default", "last"));
    const code = await running.kill("SIGTERM");

    expect(await ended).toBe(0);
    expect(out).toContain("configmap/last");
    expect(err).toBe("");
    expect(code).toBe(0);
    // Everything is in the one file.
    expect(existsSync(join(data, "store.db-wal")) ? statSync(join(data, "store.db-wal")).size : 0).toBe(0);
  });

  it("says so in /readyz for as long as it was asked to, answers meanwhile, and ends at once when told twice", async () => {
    const running = await start("--shutdown-delay", "10m");
    running.signal("SIGTERM");

    await eventually(async () => expect(await readyText(running)).toContain("[-]shutdown failed: reason withheld"));
    await expect(running.client.create(configMap("default", "late"))).resolves.toBeDefined();
    // Signals that come together are one: Ctrl-C arrives twice.
    await new Promise((resolve) => setTimeout(resolve, 400));

    expect(await running.kill("SIGTERM")).toBe(143);
  });
});

describe("flaghoist up, running", { timeout: 60_000 }, () => {
  it("keeps its folder to itself, and lets backups and checks read it", async () => {
    const running = await start();
    await running.client.create(configMap("default", "kept"));

    const second = await flaghoist("up", "--data", data, "--port", "0");
    const backup = await flaghoist("backup", "one", "--data", data);
    const check = await flaghoist("fsck", "--data", data);

    expect(second.code).toBe(1);
    expect(second.err).toMatch(/another program has the store .+ open \(process \d+ on .+\): stop it first/);
    expect([backup.code, check.code]).toEqual([0, 0]);
    await running.kill("SIGTERM");
    const restored = await flaghoist("restore", "one", "--data", data, "--force");
    expect(restored.code).toBe(0);
    const again = await start();
    const found = await again.client.find({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "kept" });
    expect(found).toBeDefined();
  });

  it("records who did what, and logs requests", async () => {
    const policy = join(folder, "policy.yaml");
    writeFileSync(
      policy,
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: RequestResponse\n  resources: [{resources: [configmaps, secrets]}]\n",
    );
    const log = join(folder, "audit.log");
    const running = await start("--audit-log", log, "--audit-policy", policy, "--request-log", "--log-level", "info");

    await running.client.create(configMap("default", "seen"));
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "default" } };
    await running.client.create({ ...secret, stringData: { password: "hunter2" } });
    expect(await running.kill("SIGTERM")).toBe(0);

    const entries = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, never>);
    expect(entries).toContainEqual(
      expect.objectContaining({
        level: "RequestResponse",
        verb: "create",
        objectRef: { resource: "configmaps", namespace: "default", name: "seen", apiVersion: "v1" },
        user: expect.objectContaining({ username: "admin" }),
        sourceIPs: ["127.0.0.1"],
        requestObject: expect.objectContaining({ kind: "ConfigMap" }),
      }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({
        level: "Metadata",
        objectRef: expect.objectContaining({ resource: "secrets", name: "s" }),
      }),
    );
    const line = running.log.split("\n").find((each) => each.includes('"/api/v1/namespaces/default/secrets"'));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      level: "info",
      message: "answered a request",
      verb: "create",
      user: "admin",
      code: 201,
      auditId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(readFileSync(log, "utf8") + running.log).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it.each([
    [["--audit-log", "a"], 2, "--audit-log and --audit-policy go together"],
    [["--audit-log", "a", "--audit-policy", "none.yaml"], 1, "none.yaml cannot be read"],
    [["--shutdown-delay", "soon"], 2, "--shutdown-delay takes a duration such as 10s"],
    [
      ["--audit-log", "a", "--audit-policy", "b", "--audit-log-maxsize", "big"],
      2,
      "--audit-log-maxsize takes a whole number",
    ],
  ])("refuses %j before anything starts", async (options, code, words) => {
    const ran = await flaghoist("up", "--data", data, "--port", "0", ...options);

    expect(ran).toMatchObject({ code, err: expect.stringContaining(words) });
    expect(existsSync(join(data, "store.db"))).toBe(false);
  });
});
