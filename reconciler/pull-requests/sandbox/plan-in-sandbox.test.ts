import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../../runtime/clock.ts";
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

function sandboxed(job: PlanJob, transport: Transport = plane.client.transport): Promise<SandboxedPlan> {
  const { signal } = new AbortController();
  return planInSandbox(job, { transport, limits: LIMITS, logger: silentLogger, signal });
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
});
