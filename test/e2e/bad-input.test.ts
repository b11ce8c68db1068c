// Whatever is wrong in a repository or around it is said at the object concerned, and what runs stays as it is.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { consistently, eventually } from "./support/eventually.ts";
import {
  configMap,
  deployment,
  EVEN_WEIGHTS,
  gitRepository,
  namespaceObject,
  policy,
  sync,
  yamlOf,
} from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, orderedReplicas, readRepository, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const TWO_EACH = { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 };
const withGit = hasGit();

describe.runIf(withGit).each(engines())("bad input, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** A namespace whose `web` runs from a repository of its own. */
  async function running(namespace: string, extra: Record<string, string> = {}): Promise<ServedRepository> {
    const repository = await serveRepository();
    const commit = repository.push("Run", {
      "web.yaml": yamlOf(deployment({ namespace })),
      "policy.yaml": yamlOf(policy({ namespace, weights: EVEN_WEIGHTS })),
      ...extra,
    });
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop"),
    );
    await untilApplied(namespace, commit);
    await eventually(async () => expect(await orderedReplicas(plane, namespace)).toEqual(TWO_EACH));
    return repository;
  }

  async function untilApplied(namespace: string, commit: string): Promise<void> {
    await eventually(async () => {
      const message = `Applied revision: main@sha1:${commit}`;
      expect(conditionOf(await readSync(plane, namespace, "shop"), "Ready")).toMatchObject({ status: "True", message });
    });
  }

  async function untilFailed(
    read: () => Promise<KubeObject>,
    expected: { readonly reason: string; readonly message: RegExp },
  ): Promise<void> {
    await eventually(async () => {
      const ready = conditionOf(await read(), "Ready");
      expect(ready).toMatchObject({ status: "False", reason: expected.reason });
      expect(ready?.message).toMatch(expected.message);
    });
  }

  async function expectStillRunning(namespace: string): Promise<void> {
    await consistently(async () => expect(await orderedReplicas(plane, namespace)).toEqual(TWO_EACH), { forMs: 150 });
  }

  describe("in files", () => {
    const namespace = "files";
    let repository: ServedRepository;

    beforeAll(async () => {
      repository = await running(namespace);
    });

    afterAll(async () => {
      await repository?.close();
    });

    const WEB = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghi"[i]}`).join(",")}]`)
      .join("\n")}\n`;

    it.each<[what: string, content: string, reason: string, message: RegExp]>([
      ["YAML that does not parse", `${WEB}data: {a: "b\n`, "RenderYamlInvalid", /^bad\.yaml:\d+:\d+: /],
      ["a duplicate key", `${WEB}data:\n  a: "1"\n  a: "2"\n`, "RenderYamlInvalid", /^bad\.yaml:7:3: .*"?a"?/],
      ["a bomb of aliases", bomb, "RenderYamlInvalid", /^bad\.yaml:?.*alias/i],
      [
        "a document without kind",
        "apiVersion: v1\nmetadata:\n  name: a\n",
        "RenderInvalidResource",
        /^bad\.yaml:1.*kind/,
      ],
      ["an object without name", "apiVersion: v1\nkind: ConfigMap\n", "RenderInvalidResource", /^bad\.yaml:1.*name/],
      [
        "a kind that nobody serves",
        "apiVersion: example.com/v1\nkind: Nothing\nmetadata:\n  name: a\n",
        "ObjectInvalid",
        /^bad\.yaml:1: there is no kind Nothing in example\.com\/v1/,
      ],
      [
        "a policy in the wrong group",
        `apiVersion: apps.karmada.io/v1alpha1\nkind: PropagationPolicy\nmetadata:\n  name: a\n  namespace: ${namespace}\nspec:\n  resourceSelectors: []\n`,
        "ObjectInvalid",
        /^bad\.yaml:1: there is no kind PropagationPolicy in apps\.karmada\.io\/v1alpha1\. Did you mean policy\.karmada\.io\/v1alpha1\?/,
      ],
      [
        "a policy that fails validation",
        yamlOf(
          policy({
            namespace,
            name: "bad",
            placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 2, maxGroups: 1 }] },
          }),
        ),
        "ObjectInvalid",
        /^bad\.yaml:1: .*spec\.placement\.spreadConstraints\[0\]/,
      ],
    ])("%s", async (_what, content, reason, message) => {
      // The good change beside it waits too: a revision is applied whole or not at all.
      repository.push("Break", {
        "bad.yaml": content,
        "web.yaml": yamlOf(deployment({ namespace, replicas: 9 })),
      });

      await untilFailed(() => readSync(plane, namespace, "shop"), { reason, message });
      await expectStillRunning(namespace);

      const mended = repository.push("Mend", { "bad.yaml": undefined, "web.yaml": yamlOf(deployment({ namespace })) });
      await untilApplied(namespace, mended);
      await expectStillRunning(namespace);
    });
  });

  describe("in repositories", () => {
    it("keeps what runs while the server is away, and goes on when it is back", async () => {
      const repository = await running("away");
      const { url } = repository;
      const nowhere = gitRepository("away", "shop", url.replace(/:\d+\//, ":1/"));
      await applyAll(plane.client, nowhere);

      await untilFailed(() => readRepository(plane, "away", "shop"), {
        reason: "GitUnreachable",
        message: /127\.0\.0\.1:1/,
      });
      await expectStillRunning("away");
      expect(conditionOf(await readSync(plane, "away", "shop"), "Ready")?.status).toBe("True");

      await applyAll(plane.client, gitRepository("away", "shop", url));
      const commit = repository.push("More", { "more.yaml": yamlOf(configMap("away", "more")) });
      await untilApplied("away", commit);
      await repository.close();
    });

    it("says that credentials are missing, wrong, and goes on once they are right", async () => {
      const repository = await serveRepository({ basicAuth: { username: "ann", password: "hunter2" } });
      const commit = repository.push("Run", { "settings.yaml": yamlOf(configMap("private-repo", "settings")) });
      const secret = (password: string): KubeObject => ({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "login", namespace: "private-repo" },
        stringData: { username: "ann", password },
      });
      const source = gitRepository("private-repo", "shop", repository.url);
      await applyAll(plane.client, namespaceObject("private-repo"), source, sync("private-repo", "shop"));
      const read = () => readRepository(plane, "private-repo", "shop");

      await untilFailed(read, { reason: "GitAuthFailed", message: /asks for credentials and none are set/ });
      await untilFailed(() => readSync(plane, "private-repo", "shop"), {
        reason: "SourceNotReady",
        message: /no revision yet/,
      });

      const withSecret = gitRepository("private-repo", "shop", repository.url, { secretRef: { name: "login" } });
      await applyAll(plane.client, withSecret);
      await untilFailed(read, { reason: "GitSecretMissing", message: /private-repo\/login, which does not exist/ });

      await applyAll(plane.client, secret("wrong"));
      await untilFailed(read, { reason: "GitAuthFailed", message: /check the user name and password/ });
      expect(JSON.stringify(await read())).not.toContain("wrong");

      await applyAll(plane.client, secret("hunter2"));
      await untilApplied("private-repo", commit);
      await repository.close();
    });

    it("keeps what runs when the branch is gone", async () => {
      const repository = await running("branchless");

      repository.fixture.git("push", "-q", "origin", "main:trunk");
      repository.fixture.gitAt(repository.fixture.bare, "update-ref", "-d", "refs/heads/main");

      await untilFailed(() => readRepository(plane, "branchless", "shop"), {
        reason: "GitRefNotFound",
        message: /there is no branch "main" in .*its branches are trunk/,
      });
      await expectStillRunning("branchless");
      await repository.close();
    });

    it("follows a rewritten history, and tells of it", async () => {
      const repository = await running("rewritten");
      repository.fixture.git("reset", "-q", "--hard", "HEAD");
      repository.fixture.git("commit", "-q", "--amend", "-m", "Run, said better");
      repository.fixture.push();
      const commit = repository.fixture.git("rev-parse", "HEAD");

      await untilApplied("rewritten", commit);

      await eventually(async () => {
        const { items } = await plane.client.list("v1", "Event", { namespace: "rewritten" });
        const told = items.filter((event) => String(event["message"]).includes("history was rewritten"));
        expect(told.map((event) => event["type"])).toEqual(["Warning"]);
      });
      await expectStillRunning("rewritten");
      await repository.close();
    });
  });

  describe("in amounts", () => {
    it("holds a revision that renders nothing, until it is confirmed", async () => {
      const repository = await running("emptied");
      const commit = repository.push("Oops", { "web.yaml": undefined, "policy.yaml": undefined, "README.md": "empty" });

      await untilFailed(() => readSync(plane, "emptied", "shop"), {
        reason: "PruneHeld",
        message:
          /would delete 2 of 2 objects of Sync emptied\/shop \(limit 30 %\)\. To go on: kubectl annotate sync shop/,
      });
      await expectStillRunning("emptied");

      const confirmation = { "gitops.flaghoist.io/confirm-prune": commit.slice(0, 12) };
      await annotateSync("emptied", confirmation);
      await untilApplied("emptied", commit);
      await eventually(async () => expect(await orderedReplicas(plane, "emptied")).toEqual({}));
      await repository.close();
    });

    it("holds the deletions of a revision that would delete more than 30 %, and applies the rest", async () => {
      const maps = Object.fromEntries(
        Array.from({ length: 4 }, (_, i) => [`map-${i}.yaml`, yamlOf(configMap("shrunk", `map-${i}`))]),
      );
      const repository = await running("shrunk", maps);
      const commit = repository.push("Oops", {
        ...Object.fromEntries(Object.keys(maps).map((path) => [path, undefined])),
        "new.yaml": yamlOf(configMap("shrunk", "new")),
      });

      await untilFailed(() => readSync(plane, "shrunk", "shop"), {
        reason: "PruneHeld",
        message: /would delete 4 of \d objects/,
      });
      expect(await plane.client.find(ref("v1 ConfigMap", "shrunk", "map-3"))).toBeDefined();
      expect(await plane.client.find(ref("v1 ConfigMap", "shrunk", "new"))).toBeDefined();

      await annotateSync("shrunk", { "gitops.flaghoist.io/confirm-prune": commit });
      await untilApplied("shrunk", commit);
      for (let i = 0; i < 4; i++)
        expect(await plane.client.find(ref("v1 ConfigMap", "shrunk", `map-${i}`))).toBeUndefined();
      await expectStillRunning("shrunk");
      await repository.close();
    });

    async function annotateSync(namespace: string, annotations: Record<string, string>): Promise<void> {
      const target = ref("gitops.flaghoist.io/v1alpha1 Sync", namespace, "shop");
      await plane.client.patch(target, { metadata: { annotations } }, "merge");
    }
  });

  describe("around", () => {
    it("waits for a Sync that it depends on", async () => {
      const repository = await serveRepository();
      repository.push("First", {
        "first/bad.yaml": "kind: [",
        "second/settings.yaml": yamlOf(configMap("ordered", "settings")),
      });
      await applyAll(
        plane.client,
        namespaceObject("ordered"),
        gitRepository("ordered", "first", repository.url),
        sync("ordered", "first", { path: "first" }),
        sync("ordered", "second", {
          path: "second",
          sourceRef: { kind: "GitRepository", name: "first" },
          dependsOn: [{ name: "first" }],
        }),
      );
      await untilFailed(() => readSync(plane, "ordered", "second"), {
        reason: "DependencyNotReady",
        message: /dependency 'ordered\/first' is not ready/,
      });
      expect(await plane.client.find(ref("v1 ConfigMap", "ordered", "settings"))).toBeUndefined();

      repository.push("Mend", { "first/bad.yaml": yamlOf(configMap("ordered", "base")) });

      await eventually(async () => {
        expect(conditionOf(await readSync(plane, "ordered", "second"), "Ready")?.status).toBe("True");
        expect(await plane.client.find(ref("v1 ConfigMap", "ordered", "settings"))).toBeDefined();
      });
      await repository.close();
    });

    it("says what is wrong with a cluster whose kubeconfig leads nowhere, and does not delay the others", async () => {
      const kubeconfig = {
        apiVersion: "v1",
        kind: "Config",
        "current-context": "x",
        contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
        clusters: [{ name: "x", cluster: { server: "https://127.0.0.1:1" } }],
        users: [{ name: "x", user: { token: "t" } }],
      };
      const cluster = (name: string, secret: string): KubeObject => ({
        apiVersion: "cluster.karmada.io/v1alpha1",
        kind: "Cluster",
        metadata: { name },
        spec: {
          syncMode: "Push",
          apiEndpoint: "https://127.0.0.1:1",
          secretRef: { namespace: "karmada-cluster", name: secret },
        },
      });
      await applyAll(
        plane.client,
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "nowhere", namespace: "karmada-cluster" },
          stringData: { kubeconfig: JSON.stringify(kubeconfig) },
        },
        cluster("nowhere", "nowhere"),
        cluster("secretless", "missing"),
      );
      const read = (name: string) => () => plane.client.get(ref("cluster.karmada.io/v1alpha1 Cluster", "", name));
      await untilFailed(read("nowhere"), { reason: "ClusterNotReachable", message: /cluster is not reachable/ });
      await untilFailed(read("secretless"), {
        reason: "StatusCollectionFailed",
        message: /names Secret karmada-cluster\/missing, which does not exist/,
      });

      const started = Date.now();
      await applyAll(
        plane.client,
        namespaceObject("others"),
        policy({ namespace: "others", weights: EVEN_WEIGHTS }),
        deployment({ namespace: "others" }),
      );
      await eventually(async () => expect(await orderedReplicas(plane, "others")).toEqual(TWO_EACH));
      expect(Date.now() - started).toBeLessThan(3_000);
    });
  });
});
