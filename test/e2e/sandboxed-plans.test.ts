// Plans of pull requests over a running control plane: made in a process of their own, and true of what happens after the
// merge.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { planInSandbox } from "../../reconciler/pull-requests/sandbox/plan-in-sandbox.ts";
import type { PlanJob, SandboxedPlan } from "../../reconciler/pull-requests/sandbox/plan-job.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type ComparedRevisions, RevisionFetcher } from "../../sources/git/compared-revisions.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { configMap, deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const LONG = 60_000;
const LIMITS = { timeoutMs: 40_000, memoryBytes: 1024 ** 3, outputBytes: 16 * 1024 ** 2 };

function secret(password: string): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "db" }, type: "Opaque", stringData: { password } };
}

const SOURCE = { kind: "GitRepository", name: "shop" };
const HOOK: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { generateName: "migrate-", annotations: { "argocd.argoproj.io/hook": "PreSync" } },
  data: { step: "migrate" },
};

const BASE = {
  "apps/kustomization.yaml":
    "resources: [web.yaml, policy.yaml, db.yaml]\nimages: [{name: registry.example/web, newTag: '2'}]\nconfigMapGenerator: [{name: settings, literals: [level=info]}]\n",
  "apps/web.yaml": yamlOf(deployment({ namespace: NS, replicas: 6 })),
  "apps/policy.yaml": yamlOf(policy({ namespace: NS, selectors: [{ apiVersion: "apps/v1", kind: "Deployment" }] })),
  "apps/db.yaml": yamlOf(secret("first password")),
  "more/map.yaml": yamlOf(configMap(NS, "more")),
};

describe.runIf(hasGit()).each(engines())("plans of pull requests, store: %s", (engine) => {
  let plane: Plane;
  let repository: ServedRepository;
  let fetcher: RevisionFetcher;
  const root = mkdtempSync(join(tmpdir(), "flaghoist-pull-requests-"));

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    repository = await serveRepository();
    fetcher = new RevisionFetcher({ root });
    repository.push("Base", BASE);
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", repository.url, { ignore: "*.draft.yaml" }),
      sync(NS, "apps", { sourceRef: SOURCE, path: "apps", targetNamespace: NS, drift: "report" }),
    );
    await eventually(async () =>
      expect(at(await readSync(plane, NS, "apps"), "status")).toHaveProperty("lastAppliedDigest"),
    );
    for (const { client } of plane.members)
      await eventually(async () => client.get(ref("apps/v1 Deployment", NS, "web")));
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    fetcher?.close();
    await repository?.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Pushes a branch that begins at main, and leaves main checked out. */
  function propose(branch: string, files: Readonly<Record<string, string>>): string {
    const { fixture } = repository;
    fixture.git("checkout", "-q", "-b", branch);
    const head = fixture.commit(branch, files);
    fixture.push(branch);
    fixture.git("checkout", "-q", "main");
    return head;
  }

  async function plan(branch: string, head: string, more: Partial<PlanJob> = {}): Promise<SandboxedPlan> {
    const { signal } = new AbortController();
    // Another store holds no credentials of members that live in this process.
    const connect =
      engine === "embedded"
        ? undefined
        : async (name: string) => ({ client: plane.member(name).client, close: async () => {} });
    const revisions: ComparedRevisions = await fetcher.fetch(
      {
        owner: "shop/shop",
        url: repository.url,
        head: { sha: head, refs: [`refs/heads/${branch}`] },
        baseBranch: "main",
      },
      { signal },
    );
    try {
      return await planInSandbox(
        {
          directory: revisions.directory,
          head: revisions.head,
          base: revisions.base,
          path: "",
          repository: repository.url,
          branch: "main",
          subject: { base: { name: "main", commit: revisions.base }, head: { name: branch, commit: head } },
          compatibility: "flaghoist",
          drift: true,
          hideLive: false,
          ...more,
        },
        { transport: plane.client.transport, connect, limits: LIMITS, logger: silentLogger, signal },
      );
    } finally {
      revisions.release();
    }
  }

  it(
    "say what clusters have that is not as Git has it, or only that",
    async () => {
      const paris = plane.member("paris-1").client;
      await paris.patch(
        ref("apps/v1 Deployment", NS, "web"),
        { metadata: { labels: { app: "web-by-hand" } } },
        "merge",
        { fieldManager: "kubectl-edit" },
      );
      const head = propose("drifted", { "apps/web.yaml": yamlOf(deployment({ namespace: NS, replicas: 9 })) });

      const told = (await plan("drifted", head)).report;
      const hidden = (await plan("drifted", head, { hideLive: true })).report;

      expect(told.driftUnknown).toBeUndefined();
      expect(told.drift).toMatchObject([
        {
          path: "metadata.labels.app",
          head: "web",
          live: "web-by-hand",
          manager: "kubectl-edit",
          clusters: ["paris-1"],
        },
      ]);
      expect(hidden.drift).toMatchObject([{ path: "metadata.labels.app", head: "web", live: "(hidden)" }]);
      expect(JSON.stringify(hidden)).not.toContain("by-hand");
      expect(JSON.stringify(hidden)).not.toContain("kubectl-edit");
    },
    LONG,
  );

  it(
    "name what each Sync would apply as its operation after the merge does, new Syncs included",
    async () => {
      const head = propose("merged", {
        "apps/kustomization.yaml":
          "resources: [web.yaml, policy.yaml, db.yaml, more.yaml]\nimages: [{name: registry.example/web, newTag: '3'}]\nconfigMapGenerator: [{name: settings, literals: [level=debug]}]\n",
        "apps/db.yaml": yamlOf(secret("second password")),
        // The source leaves it out.
        "more/unfinished.draft.yaml": yamlOf(configMap(NS, "unfinished")),
        "more/hooks.yaml": yamlOf(HOOK, HOOK),
        "apps/more.yaml": yamlOf(sync(NS, "more", { sourceRef: SOURCE, path: "more", drift: "report" })),
      });

      const { report, syncs } = await plan("merged", head);

      expect(report.problems).toEqual([]);
      expect(JSON.stringify(report)).not.toMatch(
        /first password|second password|Zmlyc3QgcGFzc3dvcmQ|c2Vjb25kIHBhc3N3b3Jk/,
      );
      expect(report.objects.find(({ object }) => object.kind === "Secret")).toMatchObject({ change: "changed" });
      expect(syncs.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(["shop/apps", "shop/more"]);
      repository.fixture.git("merge", "-q", "--ff-only", "merged");
      repository.fixture.push("main");
      for (const { name, digest } of syncs)
        await eventually(
          async () => {
            const applied = await readSync(plane, NS, name);
            expect(at(applied, "status", "lastAppliedRevision")).toContain(head);
            expect(at(applied, "status", "operation", "digest")).toBe(digest);
            expect(at(applied, "status", "lastAppliedDigest")).toBe(digest);
          },
          { withinMs: 30_000 },
        );
    },
    LONG,
  );
});
