// What clusters have, or that they may have it, as a pull request that somebody asked for.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Reporter } from "../../api/reporter.ts";
import { Interpretation } from "../../reconciler/controllers/interpretation/interpretation.ts";
import { type DriftChangeRequest, DriftChanges } from "../../reconciler/controllers/pull-requests/drift-changes.ts";
import { ReporterForges } from "../../reconciler/controllers/pull-requests/open-reporter-forge.ts";
import { systemClock } from "../../runtime/clock.ts";
import { FakeGitea } from "../forges/fake-gitea.ts";
import { TOKEN } from "../forges/fake-server.ts";
import { eventually } from "./support/eventually.ts";
import { reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { EVEN_WEIGHTS, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import type { ServedRepository } from "./support/repository.ts";

const NS = "shop";
const WEB = ref("apps/v1 Deployment", NS, "web");
const IMAGE = "spec.template.spec.containers[web].image";
const call = { signal: new AbortController().signal };
const FILE = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # the shop
  namespace: shop
spec:
  replicas: 6
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: registry.example/web:1   # pinned
          env:
            - { name: DB_PASSWORD, value: old-one }
`;
const SYNC_FILE = `apiVersion: gitops.flaghoist.io/v1alpha1
kind: Sync
metadata: { name: shop, namespace: shop }
spec:
  # where it comes from
  sourceRef: { kind: GitRepository, name: shop }
  path: apps
`;
const SECRET = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "db", namespace: NS },
  data: { password: "b2xk" },
};

let plane: Plane;
let repository: ServedRepository;
let host: FakeGitea;
let forges: ReporterForges;
let changes: DriftChanges;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "drift-changes-"));
  writeFileSync(join(root, "left-over"), "of a process that ended");
  repository = await serveHostedRepository();
  const selectors = [
    { apiVersion: "apps/v1", kind: "Deployment" },
    { apiVersion: "v1", kind: "Secret" },
  ];
  repository.push("shop", {
    "apps/web.yaml": FILE,
    "apps/db.yaml": yamlOf(SECRET),
    "apps/policy.yaml": yamlOf(policy({ namespace: NS, weights: EVEN_WEIGHTS, selectors })),
    "deploy/sync.yaml": SYNC_FILE,
  });
  plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
  await applyAll(
    plane.client,
    namespaceObject(NS),
    gitRepository(NS, "shop", repository.url, { interval: "1h" }),
    sync(NS, "shop", { path: "apps", drift: "report" }),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "bot", namespace: NS }, stringData: { token: TOKEN } },
  );
  await eventually(async () => {
    for (const { client } of plane.members) expect(await client.find(WEB)).toBeDefined();
    for (const { client } of plane.members) expect(await client.find(ref("v1 Secret", NS, "db"))).toBeDefined();
  });
  const container = "/spec/template/spec/containers/0";
  for (const cluster of ["paris-1", "paris-2"])
    await plane.member(cluster).client.patch(
      WEB,
      [
        { op: "replace", path: `${container}/image`, value: "registry.example/web:hotfix" },
        { op: "replace", path: `${container}/env/0/value`, value: "hunter2" },
      ],
      "json",
      { fieldManager: "kubectl-edit" },
    );
  await plane
    .member("tokyo-1")
    .client.patch(ref("v1 Secret", NS, "db"), { data: { password: "aHVudGVyMg==" } }, "merge");
  const context = plane.control.context;
  changes = new DriftChanges({
    context,
    interpretation: new Interpretation({ compatibility: "flaghoist" }),
    root,
    allowLocal: false,
  });
  forges = new ReporterForges({ context, clock: systemClock, random: () => 0.5 });
  await eventually(() => {
    const works = JSON.stringify([...context.informers.of("work.karmada.io/v1alpha1", "Work").all()]);
    expect(works.split("web:hotfix").length).toBeGreaterThan(2);
    expect(works).toContain("data.password");
  });
}, 120_000);

afterAll(async () => {
  changes?.close();
  forges?.close();
  await plane?.close();
  await repository?.close();
  rmSync(root, { recursive: true, force: true });
});

beforeEach(async () => {
  await host?.stop();
  host = await new FakeGitea().start();
  repository.push("as it was", { "apps/web.yaml": FILE, "deploy/sync.yaml": SYNC_FILE });
  for (const branch of branches()) inBare("update-ref", "-d", `refs/heads/${branch}`);
});

async function ask(request: Partial<DriftChangeRequest> & { readonly spec?: Record<string, unknown> } = {}) {
  const { spec, ...rest } = request;
  const asked = reporter(NS, "shop", { provider: "gitea", providerUrl: host.url, ...spec }) as unknown as Reporter;
  return changes.open(
    {
      reporter: asked,
      opened: await forges.open(asked),
      action: "adopt",
      object: { kind: "deploy", name: "web", namespace: undefined },
      field: IMAGE,
      clusters: undefined,
      requestedBy: "ada",
      pullRequest: 7,
      baseBranch: "main",
      ...rest,
    },
    call,
  );
}

const inBare = (...args: string[]) => repository.fixture.gitAt(repository.fixture.bare, ...args);
const branches = () =>
  inBare("branch", "--format=%(refname:short)", "--list", "flaghoist/*").split("\n").filter(Boolean);
const changedIn = (branch: string) => inBare("diff", "--name-only", "main", branch).split("\n");
const pulls = () => [...host.pulls.values()];
const created = () =>
  JSON.parse(
    host.received
      .find((text) => text.includes("/pulls"))
      ?.split("\n")
      .slice(1)
      .join("\n") ?? "{}",
  ) as Record<string, string>;

describe("adopting drift", () => {
  it("opens a pull request in which exactly that field becomes what was found, as its author wrote it", async () => {
    const { outcome, pullRequest } = await ask();

    expect(outcome).toBe("created");
    expect(pullRequest).toMatchObject({ title: "Adopt drift of Deployment shop/web" });
    const [branch = ""] = branches();
    expect(changedIn(branch)).toEqual(["apps/web.yaml"]);
    expect(`${inBare("show", `${branch}:apps/web.yaml`)}\n`).toBe(FILE.replace("web:1 ", "web:hotfix "));
    expect(inBare("log", "-1", "--format=%an <%ae>%n%B", branch)).toMatch(
      /^flaghoist-bot <flaghoist-bot@users\.noreply\.127\.0\.0\.1>\nAdopt drift of Deployment shop\/web\n\n- .*: registry\.example\/web:1 -> registry\.example\/web:hotfix, as in paris-1, paris-2\n\nAsked for by ada in pull request 7\.$/,
    );
    expect(created()).toMatchObject({ head: branch, base: "main" });
    expect(created()["body"]).toContain(
      "`registry.example/web:1` → `registry.example/web:hotfix` in `apps/web.yaml:14`, as in `paris-1, paris-2`; `tokyo-1` will get it, too",
    );
    expect(created()["body"]).toContain("Asked for by `ada` in pull request 7.");
    expect(readdirSync(root)).toEqual([]);
  });

  it("of the same again is the same branch and the same pull request", async () => {
    const first = await ask();
    const before = inBare("rev-parse", branches()[0] ?? "");

    const second = await ask({ requestedBy: "eve" });

    expect(second).toMatchObject({ outcome: "unchanged", pullRequest: { number: first.pullRequest.number } });
    expect(branches()).toHaveLength(1);
    expect(inBare("rev-parse", branches()[0] ?? "")).toBe(before);
    expect(pulls()).toHaveLength(1);
  });

  it("goes on where another process pushed and came no further", async () => {
    host.forbidden = /^POST .*pulls/;
    await expect(ask()).rejects.toMatchObject({ code: "forge-forbidden", recovery: "stall" });
    expect(branches()).toHaveLength(1);
    host.forbidden = undefined;

    expect((await ask()).outcome).toBe("created");
    expect(branches()).toHaveLength(1);
  });

  it("never overwrites what somebody else put on the branch", async () => {
    await ask();
    const [branch = ""] = branches();
    const { fixture } = repository;
    fixture.git("fetch", "-q", "origin", branch);
    fixture.git("checkout", "-q", "FETCH_HEAD");
    const theirs = fixture.commit("ours is better", { "apps/web.yaml": FILE.replace("web:1 ", "web:2 ") });
    fixture.git("push", "-q", "origin", `HEAD:refs/heads/${branch}`);
    fixture.git("checkout", "-q", "main");

    const again = await ask();

    expect(again.outcome).toBe("created");
    expect(inBare("rev-parse", branch)).toBe(theirs);
    expect(branches()).toEqual([branch, `${branch}-2`]);
  });

  it("keeps an open pull request while the base branch moves elsewhere, and begins afresh where nobody has one open", async () => {
    await ask();
    repository.push("elsewhere", { "README.md": `${Date.now()}` });

    expect((await ask()).outcome).toBe("unchanged");
    for (const pull of pulls()) pull.state = "closed";
    expect((await ask()).outcome).toBe("created");

    const [, fresh = ""] = branches();
    expect(inBare("rev-parse", `${fresh}^`)).toBe(inBare("rev-parse", "main"));
  });

  it("begins afresh where the file became another", async () => {
    await ask();
    repository.push("a comment", { "apps/web.yaml": `# more\n${FILE}` });

    expect((await ask()).outcome).toBe("created");

    expect(new Set(branches().map((name) => name.slice(-12))).size).toBe(2);
    expect(pulls()).toHaveLength(2);
  });

  it("says that Git says so already, and pushes nothing", async () => {
    repository.push("adopted by hand", { "apps/web.yaml": FILE.replace("web:1 ", "web:hotfix ") });

    await expect(ask()).rejects.toMatchObject({
      recovery: "stall",
      message: `nothing in Git would change: ${IMAGE}: the files say so already`,
    });
    expect(branches()).toEqual([]);
    expect(host.received).toEqual([]);
  });

  it.each([
    ["a Secret", { kind: "secret", name: "db", namespace: NS }, "values of Secrets are not written to files"],
    ["a credential", { kind: "deployment", name: "web", namespace: NS }, "it may hold a credential"],
  ])("writes nothing of %s, anywhere", async (_, object, reason) => {
    const field = object.kind === "secret" ? undefined : "spec.template.spec.containers[web].env[DB_PASSWORD].value";

    await expect(ask({ object, field })).rejects.toThrow(reason);
    await expect(ask({ object, field })).rejects.not.toThrow(/hunter2|old-one|aHVudGVyMg|b2xk/);
    expect(branches()).toEqual([]);
  });

  it("takes everything that has drifted where no object is named, and says what it leaves", async () => {
    const { outcome } = await ask({ object: undefined, field: undefined });

    expect(outcome).toBe("created");
    expect(changedIn(branches()[0] ?? "")).toEqual(["apps/web.yaml"]);
    expect(created()["body"]).toMatch(/Left as it is:[\s\S]*DB_PASSWORD[\s\S]*credential/);
    expect(host.received.join("\n")).not.toMatch(/hunter2|old-one|aHVudGVyMg|b2xk/);
  });

  it.each([
    [
      { object: { kind: "deployment", name: "none", namespace: undefined } },
      "no Sync of this repository applies Deployment none",
    ],
    [
      { object: { kind: "deployment", name: "web", namespace: "other" } },
      "no Sync of this repository applies Deployment web in namespace other",
    ],
    [{ object: { kind: "gadget", name: "web", namespace: undefined } }, "there is no kind gadget"],
    [{ field: "spec.replicas" }, "spec.replicas of Deployment shop/web differs"],
    [{ clusters: ["tokyo-1"] }, `${IMAGE} of Deployment shop/web differs`],
    [{ clusters: ["nowhere"] }, "there is no cluster nowhere"],
    [{ spec: { pullRequests: { liveValues: "hide" } } }, "hides what clusters have"],
  ])("refuses %j", async (request, words) => {
    await expect(ask(request)).rejects.toMatchObject({ recovery: "stall", message: expect.stringContaining(words) });
    expect(branches()).toEqual([]);
  });

  it("says that the branch to change is not there", async () => {
    const { repository: source, ...rest } = await forges.open(
      reporter(NS, "shop", { provider: "gitea", providerUrl: host.url }) as unknown as Reporter,
    );
    const opened = { ...rest, repository: { ...source, spec: { ...source.spec, ref: { branch: "gone" } } } };

    await expect(ask({ opened })).rejects.toMatchObject({ code: "git-ref-not-found", recovery: "stall" });
  });

  it("says what the server refuses to take", async () => {
    mkdirSync(join(repository.fixture.bare, "hooks"), { recursive: true });
    const hook = join(repository.fixture.bare, "hooks", "update");
    writeFileSync(hook, "#!/bin/sh\ncase $1 in refs/heads/flaghoist/*) exit 1;; esac\n", { mode: 0o755 });

    await expect(ask()).rejects.toMatchObject({ code: "git-push-refused", recovery: "stall" });

    rmSync(hook);
    expect(pulls()).toEqual([]);
  });
});

describe("ignoring drift", () => {
  it("writes the rule where the Sync is defined", async () => {
    const { pullRequest } = await ask({ action: "ignore" });

    expect(pullRequest.title).toBe("Ignore drift of Deployment shop/web");
    const [branch = ""] = branches();
    expect(changedIn(branch)).toEqual(["deploy/sync.yaml"]);
    expect(inBare("show", `${branch}:deploy/sync.yaml`)).toMatch(
      /# where it comes from\n[\s\S]*ignoreDifferences:\n\s+- group: apps\n\s+kind: Deployment\n\s+name: web\n\s+namespace: shop\n\s+jsonPointers:\n\s+- \/spec\/template\/spec\/containers\/0\/image/,
    );
    expect(created()["body"]).toContain("clusters decide it, by a rule in `deploy/sync.yaml`");
  });

  it("says where the rule is to be written when no file has the Sync, and when it is there", async () => {
    repository.push("elsewhere", { "deploy/sync.yaml": "# moved\n" });
    await expect(ask({ action: "ignore" })).rejects.toThrow(
      /no file in branch main of octo\/shop holds Sync shop\/shop in a form that can be changed\. Add to its spec:\nignoreDifferences:/,
    );

    repository.push("ignored", {
      "deploy/sync.yaml": `${SYNC_FILE}  ignoreDifferences:\n    - { group: apps, kind: Deployment, name: web, namespace: shop, jsonPointers: [/spec/template/spec/containers/0/image] }\n`,
    });
    await expect(ask({ action: "ignore" })).rejects.toThrow("deploy/sync.yaml says so already");
    expect(branches()).toEqual([]);
  });
});

describe("a comment in a pull request", () => {
  it("has drift adopted, and is answered with the pull request", async () => {
    host.addPull({ number: 7 });
    host.addComment(7, "eve", `/flaghoist drift adopt deploy/web -n shop --field ${IMAGE}`, {
      createdAt: new Date(Date.now() + 60_000).toISOString(),
    });
    await plane.client.create(reporter(NS, "shop", { provider: "gitea", providerUrl: host.url, commands: {} }));

    const opened = await eventually(() => {
      const found = pulls().find(({ branch }) => branch.startsWith("flaghoist/drift-adopt-web-"));
      expect(found).toBeDefined();
      return found;
    });
    await eventually(() =>
      expect(host.pulls.get(7)?.comments.map(({ body }) => body)).toContainEqual(
        expect.stringContaining(`pull request ${opened?.number}`),
      ),
    );
    expect(inBare("show", `${opened?.branch}:apps/web.yaml`)).toContain("web:hotfix");
    await plane.client.delete(ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop"));
  });
});
