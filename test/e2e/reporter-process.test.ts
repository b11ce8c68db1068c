// `flaghoist up` as a process of its own, with the port for webhooks: killed while it plans a pull request, and started again.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Reporter } from "../../api/reporter.ts";
import { deliveryOf } from "../forges/deliveries.ts";
import { FakeGitHub } from "../forges/fake-github.ts";
import { TOKEN } from "../forges/fake-server.ts";
import { hasGit } from "../git-server.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually } from "./support/eventually.ts";
import { reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { configMap, gitRepository, namespaceObject, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";

const NS = "shop";
const HOOK_SECRET = "the-secret-of-the-webhook";

let folder: string;
let webhookPort: number;
let plane: ChildPlane;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-reporter-"));
  webhookPort = await freePort();
  plane = new ChildPlane(join(folder, "data"), await freePort(), ["--webhook-listen", String(webhookPort)]);
});

afterEach(async () => {
  await plane.kill();
  rmSync(folder, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function post(
  path: string,
  { headers, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<number> {
  const answer = fetch(`http://127.0.0.1:${webhookPort}${path}`, {
    method: "POST",
    headers: headers ?? {},
    body: body ?? "",
  });
  return answer.then(({ status }) => status);
}

/** Programs of plans that run: they name the file that they run. */
function sandboxes(): number {
  const all = execFileSync("ps", ["-eo", "args"], { encoding: "utf8", maxBuffer: 1 << 26 });
  return all.split("\n").filter((line) => line.includes("plan-child.ts") && line.includes(folder)).length;
}

describe("flaghoist up --webhook-listen", { timeout: 90_000 }, () => {
  it("takes webhooks until it is told to stop", async () => {
    await plane.start();

    expect(await post("/hook/shop/shop")).toBe(404);

    expect(await plane.kill("SIGTERM")).toBe(0);
    await expect(post("/hook/shop/shop")).rejects.toThrow();
  });

  it("ends when another program has the port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(webhookPort, "127.0.0.1", resolve));

    const main = join(import.meta.dirname, "..", "..", "reconciler", "cli", "main.ts");
    const args = ["up", "--data", join(folder, "other"), "--port", "0", "--webhook-listen", String(webhookPort)];
    const ran = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", timeout: 60_000 });

    expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining("--webhook-listen") });

    await new Promise((resolve) => other.close(resolve));
  });

  it.runIf(hasGit())("says a plan once, although it was killed while it was made", async () => {
    const server = await new FakeGitHub().start();
    const repository = await serveHostedRepository();
    try {
      const files = (value: string) => ({ "apps/one.yaml": yamlOf(configMap(NS, "one", { key: value })) });
      const base = repository.push("One", files("a"));
      const { fixture } = repository;
      fixture.git("checkout", "-q", "-b", "more");
      const sha = fixture.commit("Another value", files("b"));
      fixture.push("HEAD:refs/pull/7/head");
      await plane.start();
      await applyAll(
        plane.client,
        namespaceObject(NS),
        { apiVersion: "v1", kind: "Secret", metadata: { name: "bot", namespace: NS }, stringData: { token: TOKEN } },
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "hook", namespace: NS },
          stringData: { token: HOOK_SECRET },
        },
        gitRepository(NS, "shop", repository.url, { interval: "24h" }),
        sync(NS, "shop", { path: "apps" }),
        reporter(NS, "shop", {
          provider: "github",
          providerUrl: server.url,
          interval: "24h",
          pullRequests: {},
          webhook: { secretRef: { name: "hook" } },
        }),
      );
      const status = async () => {
        const found = await plane.client.get<Reporter>(ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop"));
        return found.status;
      };
      await eventually(async () => {
        expect((await status())?.lastPolledAt).toBeDefined();
        expect(await plane.client.find(ref("v1 ConfigMap", NS, "one"))).toBeDefined();
      });
      server.addPull({ number: 7, sha, baseSha: base, branch: "more" });
      const delivery = deliveryOf({
        kind: "github",
        what: "pull request",
        secret: HOOK_SECRET,
        repository: "octo/shop",
        cloneUrl: server.cloneUrl,
        number: 7,
        sha,
      });

      expect(await post("/hook/shop/shop", { ...delivery, headers: { ...delivery.headers } })).toBe(202);
      await eventually(() => expect(sandboxes()).toBeGreaterThan(0));
      await plane.kill("SIGKILL");

      await eventually(() => expect(sandboxes()).toBe(0));
      expect(server.pulls.get(7)?.comments).toEqual([]);
      expect(server.checks).toMatchObject([{ title: "making the plan", conclusion: undefined }]);
      await plane.start();
      await eventually(
        async () => expect((await status())?.pullRequests).toMatchObject([{ state: "Planned", head: sha }]),
        {
          withinMs: 30_000,
        },
      );
      expect(server.pulls.get(7)?.comments).toHaveLength(1);
      expect(server.checks).toMatchObject([{ conclusion: "success" }]);
    } finally {
      await repository.close();
      await server.stop();
    }
  });
});
