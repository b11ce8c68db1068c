import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { openWorkingCopy } from "../../../sources/git/working-copy.ts";
import { cluster, deployment, policy } from "../../../test/builders.ts";
import { GitFixture } from "../../../test/git-fixture.ts";
import { openQuietPlane, type QuietPlane } from "../../../test/quiet-plane.ts";
import { originFinderAt } from "../../cli/origins.ts";
import { planTrees } from "../../plan/plan-trees.ts";
import { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { planInSandbox } from "./plan-in-sandbox.ts";
import type { PlanJob, PlanLimits, SandboxedPlan } from "./plan-job.ts";

const LONG = 60_000;
const LIMITS: PlanLimits = { timeoutMs: 30_000, memoryBytes: 1024 ** 3, outputBytes: 16 * 1024 ** 2 };
const REPOSITORY = "https://git.example.com/acme/shop.git";

const git = new GitFixture();
let plane: QuietPlane;
let base: string;
let head: string;

const SOURCE = {
  apiVersion: "gitops.flaghoist.io/v1alpha1",
  kind: "GitRepository",
  metadata: { name: "shop", namespace: "shop" },
  spec: { url: "https://bot:s3cr3t-token@git.example.com/acme/shop.git", interval: "1m", ref: { branch: "main" } },
};

function syncOf(name: string, path: string, source = "shop"): object {
  return {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name, namespace: "shop" },
    spec: { sourceRef: { kind: "GitRepository", name: source }, path },
  };
}

function web(replicas: number): string {
  const { uid: _, ...metadata } = deployment({ name: "web", replicas }).metadata;
  return stringifyYaml({ ...deployment({ name: "web", replicas }), metadata });
}

function secret(password: string): object {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: "shop" },
    type: "Opaque",
    data: { password: Buffer.from(password).toString("base64"), same: Buffer.from("as before").toString("base64") },
  };
}

const EVERYWHERE = policy({
  name: "all",
  selects: [
    { apiVersion: "apps/v1", kind: "Deployment" },
    { apiVersion: "v1", kind: "Secret" },
  ],
  placement: {},
});

beforeAll(async () => {
  plane = await openQuietPlane();
  const deployed = deployment({ name: "web", replicas: 2 });
  await plane.create([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }]);
  await plane.create([
    SOURCE,
    {
      ...SOURCE,
      metadata: { name: "staging", namespace: "shop" },
      spec: { ...SOURCE.spec, ref: { branch: "staging" } },
    },
    syncOf("apps", "apps"),
    syncOf("staging", "apps", "staging"),
    cluster({ name: "paris", kinds: ["apps/v1 Deployment", "v1 Secret"] }),
    cluster({ name: "oregon", kinds: ["apps/v1 Deployment", "v1 Secret"] }),
    deployed,
    secret("first password"),
    EVERYWHERE,
  ]);
  await plane.placeAll(new WorldInterpreters("flaghoist"));
  base = git.commit("Two replicas", {
    "apps/web.yaml": web(2),
    "apps/db.yaml": stringifyYaml(secret("first password")),
    "apps/policy.yaml": stringifyYaml(EVERYWHERE),
  });
  head = git.commit("Four replicas", {
    "apps/web.yaml": web(4),
    "apps/db.yaml": stringifyYaml(secret("second password")),
    "apps/web.fleet.yaml": [
      "apiVersion: gitops.flaghoist.io/v1alpha1",
      "kind: FleetTest",
      "metadata: {name: web}",
      "spec: {tests: []}",
      "",
    ].join("\n"),
  });
}, LONG);

afterAll(async () => {
  await plane.close();
  git.remove();
});

function jobOf(more: Partial<PlanJob> = {}): PlanJob {
  return {
    directory: `${git.work}/.git`,
    head,
    base,
    path: "",
    repository: REPOSITORY,
    branch: "main",
    subject: { base: { name: "main", commit: base }, head: { name: "topic", commit: head } },
    compatibility: "flaghoist",
    drift: false,
    hideLive: false,
    ...more,
  };
}

function sandboxed(
  job: PlanJob,
  transport: Transport = plane.client.transport,
  limits: PlanLimits = LIMITS,
): Promise<SandboxedPlan> {
  const { signal } = new AbortController();
  return planInSandbox(job, { transport, limits, logger: silentLogger, signal });
}

/** What somebody proposes on top of the base. */
function commit(branch: string, files: Readonly<Record<string, string>>): string {
  git.git("checkout", "-q", "-b", branch, base);
  return git.commit(branch, files);
}

async function failure(plan: Promise<unknown>): Promise<AppError> {
  const error = await plan.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw error ?? new Error("it did not fail");
}

async function inProcess(job: PlanJob): Promise<SandboxedPlan> {
  const { signal } = new AbortController();
  const copy = openWorkingCopy(git.work);
  const [before, after] = [copy.resolve(job.base), copy.resolve(job.head)];
  const plan = await planTrees(plane.client, {
    trees: {
      head: copy.tree(after),
      base: copy.tree(before),
      commit: job.head,
      path: job.path,
      basePath: job.path,
      isPair: false,
      remotes: [],
      changedPaths: () => copy.changedPaths(before, after),
    },
    target: { repository: job.repository, branch: job.branch },
    rendering: { remotes: undefined, signal, cache: new RenderCache() },
    subject: { ...job.subject, path: job.path, fleet: { from: "live" } },
    interpretations: new WorldInterpreters(job.compatibility),
    originOf: await originFinderAt(plane.client, () => undefined),
    compareCopies: undefined,
    clock: systemClock,
    version: "test",
    signal,
  });
  copy.close();
  return plan;
}

/** Hashes have another key in each process. */
function comparable({ made: _, ...report }: PlanReport): unknown {
  return JSON.parse(JSON.stringify(report).replaceAll(/\(hidden [0-9a-f]{8}\)/g, "(hidden)"));
}

describe("planInSandbox", () => {
  it(
    "comes to the report that a plan in this process comes to",
    async () => {
      const [there, here] = [await sandboxed(jobOf()), await inProcess(jobOf())];

      expect(
        there.report.objects.map(({ object, change }) => `${change} ${object.kind} ${object.name}`).sort(),
      ).toEqual(["changed Deployment web", "changed Secret db"]);
      expect(comparable(there.report)).toEqual(comparable(here.report));
      expect(there.syncs).toEqual(here.syncs);
      expect(there.syncs).toMatchObject([{ namespace: "shop", name: "apps" }]);
    },
    LONG,
  );

  it(
    "tells no value of a Secret, and that one changes",
    async () => {
      const { report } = await sandboxed(jobOf());

      const secretReport = report.objects.find(({ object }) => object.kind === "Secret");
      expect(secretReport?.fields.map(({ path }) => path)).toEqual(["data.password"]);
      const text = JSON.stringify(report);
      for (const value of ["first password", "second password", "as before", "s3cr3t-token"]) {
        expect(text).not.toContain(value);
        expect(text).not.toContain(Buffer.from(value).toString("base64"));
      }
    },
    LONG,
  );

  it(
    "asks for nothing but what it may, and writes nothing",
    async () => {
      const asked: string[] = [];
      await sandboxed(jobOf(), (request) => {
        const [path = "", query = ""] = request.path.split("?");
        asked.push(`${request.method} ${new URLSearchParams(query).get("dryRun") ?? ""} ${path}`);
        return plane.client.transport(request);
      });

      expect(asked.filter((one) => !/^(GET {2}|PATCH All )\/apis?(\/|$)/.test(one))).toEqual([]);
      expect(asked.some((one) => one.startsWith("PATCH All"))).toBe(true);
    },
    LONG,
  );

  it(
    "neither asks webhooks nor fetches bases nor runs programs that a proposal brings",
    async () => {
      const requests: string[] = [];
      const server = createServer((request, response) => {
        requests.push(request.url ?? "");
        response.end("{}");
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const hooked = commit("webhook", {
        "apps/webhook.yaml": stringifyYaml({
          apiVersion: "config.karmada.io/v1alpha1",
          kind: "ResourceInterpreterWebhookConfiguration",
          metadata: { name: "everything" },
          webhooks: [
            {
              name: "all.example.com",
              clientConfig: { url: url.replace("http:", "https:") },
              rules: [{ operations: ["*"], apiGroups: ["apps"], apiVersions: ["v1"], kinds: ["Deployment"] }],
              interpreterContextVersions: ["v1alpha1"],
            },
          ],
        }),
      });
      const based = commit("base", { "apps/kustomization.yaml": `resources: ["${url}/repo.git//base?ref=v1"]\n` });
      const charted = commit("chart", {
        "apps/kustomization.yaml": `helmCharts: [{name: web, repo: "${url}", version: 1.0.0}]\n`,
      });

      const { report } = await sandboxed(jobOf({ head: hooked }));
      const failures = await Promise.all([based, charted].map((one) => failure(sandboxed(jobOf({ head: one })))));
      server.close();

      expect(report.unknown).toMatchObject([
        {
          object: { kind: "Deployment", name: "web" },
          reason: expect.stringContaining("not asked about pull requests"),
        },
      ]);
      expect(failures.map(({ code }) => code)).toEqual(["render-remote-refused", "render-plugin"]);
      expect(requests).toEqual([]);
    },
    LONG,
  );

  it(
    "ends what a proposal makes to take for ever or too much",
    async () => {
      // Each patch copies what those before it made: within every bound of a build, and minutes of work.
      const patch = (at: number) =>
        `- {target: {kind: Deployment}, patch: '[{"op": "add", "path": "/metadata/annotations/a${at}", "value": "b"}]'}`;
      const slow = commit("slow", {
        "apps/kustomization.yaml": `resources: [web.yaml]\npatches:\n${Array.from({ length: 15_000 }, (_, at) => patch(at)).join("\n")}\n`,
        "apps/web.yaml": web(2).replace("metadata:\n", "metadata:\n  annotations: {a: b}\n"),
      });
      const limits = { ...LIMITS, timeoutMs: 2_500 };

      const { code } = await failure(sandboxed(jobOf({ head: slow }), plane.client.transport, limits));

      expect(code).toBe("plan-timed-out");
    },
    LONG,
  );

  it(
    "says why a head cannot be planned as a plan in this process does",
    async () => {
      const broken = commit("broken", { "apps/web.yaml": "kind: [" });

      const [there, here] = await Promise.all([
        failure(sandboxed(jobOf({ head: broken }))),
        failure(inProcess(jobOf({ head: broken }))),
      ]);

      expect(there).toMatchObject({ code: here.code, message: here.message, recovery: here.recovery });
      expect(there.message).toContain("apps/web.yaml:1");
    },
    LONG,
  );

  it(
    "names the limit that a report goes beyond, and stops when it is told to",
    async () => {
      const small = await failure(sandboxed(jobOf(), plane.client.transport, { ...LIMITS, outputBytes: 1_000 }));
      const aborted = new AbortController();
      const stopped = planInSandbox(jobOf(), {
        transport: (request) => {
          aborted.abort(new Error("the head moved"));
          return plane.client.transport(request);
        },
        limits: LIMITS,
        logger: silentLogger,
        signal: aborted.signal,
      });

      expect(small.code).toBe("plan-too-large");
      await expect(stopped).rejects.toThrow("the head moved");
    },
    LONG,
  );
});
