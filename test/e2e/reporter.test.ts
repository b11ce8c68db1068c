// Pull requests of a repository that a control plane follows: told of by webhooks, planned in a process of their own, said at
// the host, asked for and approved by comments, and applied after the merge.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sync } from "../../api/gitops.ts";
import type { ReportedPullRequest, Reporter } from "../../api/reporter.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type DeliveryOptions, deliveryOf } from "../forges/deliveries.ts";
import { FakeGitHub } from "../forges/fake-github.ts";
import { FakeGitLab } from "../forges/fake-gitlab.ts";
import { type FakePull, type FakeServer, TOKEN } from "../forges/fake-server.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { HOSTED_PATHS, reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { configMap, deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import type { ServedRepository } from "./support/repository.ts";

const NS = "shop";
const HOOK_SECRET = "the-secret-of-the-webhook";
const OLD_PASSWORD = "correct horse battery staple";
const NEW_PASSWORD = "wrong donkey charger paperclip";
const KEPT = Array.from({ length: 6 }, (_, at) => configMap(NS, `kept-${at}`));

interface Host {
  readonly name: "github" | "gitlab";
  readonly repository: string;
  readonly path: string;
  readonly pullRef: (number: number) => string;
  readonly start: () => Promise<FakeServer>;
}

const HOSTS: readonly Host[] = [
  {
    name: "github",
    repository: "octo/shop",
    path: HOSTED_PATHS.octo,
    pullRef: (number) => `refs/pull/${number}/head`,
    start: () => new FakeGitHub().start(),
  },
  {
    name: "gitlab",
    repository: "group/sub/shop",
    path: HOSTED_PATHS.gitlab,
    pullRef: (number) => `refs/merge-requests/${number}/head`,
    start: () => new FakeGitLab().start(),
  },
];

/** GitLab with the embedded engine only: nothing of it hangs on the store. */
const CASES = engines().flatMap((engine) =>
  HOSTS.filter(({ name }) => engine === "embedded" || name === "github").map((host) => ({
    engine,
    host,
    name: host.name,
  })),
);

function files(replicas: number, password = OLD_PASSWORD, kept = KEPT): Record<string, string> {
  const kinds = ["apps/v1 Deployment", "v1 ConfigMap", "v1 Secret"];
  const selectors = kinds.map((kind) => {
    const [apiVersion = "", name = ""] = kind.split(" ");
    return { apiVersion, kind: name };
  });
  const secret: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: NS },
    stringData: { password },
  };
  return {
    "apps/web.yaml": yamlOf(
      namespaceObject(NS),
      deployment({ namespace: NS, replicas }),
      policy({ namespace: NS, selectors }),
      secret,
      ...kept,
    ),
  };
}

function secretOf(name: string, data: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NS }, stringData: data };
}

describe.runIf(hasGit()).each(CASES)("a Reporter at $name, with the store $engine", ({ engine, host }) => {
  let plane: Plane;
  let repository: ServedRepository;
  let server: FakeServer;
  let deliveries = 0;

  beforeAll(async () => {
    server = await host.start();
    plane = await startPlane({ engine, members: THREE_CLUSTERS, takesWebhooks: true });
    repository = await serveHostedRepository();
    repository.push("A shop", files(3));
    const url = `${repository.server.url}/${host.path}`;
    await applyAll(
      plane.client,
      namespaceObject(NS),
      secretOf("bot", { token: TOKEN }),
      secretOf("hook", { token: HOOK_SECRET }),
      // Only webhooks make anything happen soon.
      gitRepository(NS, "shop", url, { interval: "24h" }),
      sync(NS, "shop", { path: "apps" }),
      reporter(NS, "shop", {
        provider: host.name,
        providerUrl: server.url,
        interval: "24h",
        commands: {},
        pullRequests: {},
        webhook: { secretRef: { name: "hook" } },
      }),
    );
    await eventually(async () => {
      for (const { client } of plane.members)
        expect(await client.find(ref("apps/v1 Deployment", NS, "web"))).toBeDefined();
      expect(await reporterStatus()).toMatchObject({
        webhookPath: "/hook/shop/shop",
        conditions: expect.arrayContaining([expect.objectContaining({ type: "Ready", status: "True" })]),
      });
    });
  }, 60_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(() => {
    repository.fixture.git("checkout", "-q", "main");
  });

  async function reporterStatus(): Promise<NonNullable<Reporter["status"]>> {
    const found = await plane.client.get<Reporter>(ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop"));
    return found.status ?? {};
  }

  async function entry(number: number): Promise<ReportedPullRequest | undefined> {
    return (await reporterStatus()).pullRequests?.find((one) => one.number === number);
  }

  async function deliver(more: Pick<DeliveryOptions, "what"> & Partial<DeliveryOptions>): Promise<number> {
    const { headers, body } = deliveryOf({
      kind: host.name,
      secret: HOOK_SECRET,
      repository: host.repository,
      cloneUrl: server.cloneUrl,
      id: `delivery-${++deliveries}`,
      ...more,
    });
    const answer = await fetch(`${plane.control.webhookUrl}/hook/shop/shop`, { method: "POST", headers, body });
    await answer.text();
    return answer.status;
  }

  /** Opens a pull request, or pushes another head to it, and has the host tell of it. */
  async function propose(
    number: number,
    content: Record<string, string>,
    more: Partial<FakePull> = {},
  ): Promise<string> {
    const { fixture } = repository;
    const branch = `change-${number}`;
    const base = fixture.git("rev-parse", "main");
    const isNew = server.pulls.get(number) === undefined;
    fixture.git("checkout", "-q", ...(isNew ? ["-b", branch] : [branch]));
    const sha = fixture.commit(`Change ${number}`, content);
    fixture.push(`HEAD:${host.pullRef(number)}`, ...(more.fork === true ? [] : [`HEAD:refs/heads/${branch}`]));
    fixture.git("checkout", "-q", "main");
    server.addPull({
      ...server.pulls.get(number),
      number,
      sha,
      branch,
      baseSha: base,
      author: server.user("eve"),
      ...more,
    });
    expect(await deliver({ what: "pull request", number, sha })).toBe(202);
    return sha;
  }

  async function say(number: number, author: string, body: string): Promise<void> {
    server.addComment(number, author, body, { createdAt: new Date().toISOString() });
    expect(await deliver({ what: "comment", number, comment: body })).toBe(202);
  }

  function comments(number: number): readonly { readonly id: number; readonly body: string }[] {
    return (server.pulls.get(number)?.comments ?? []).filter(({ author }) => author.name === server.me.name);
  }

  async function planned(number: number, head: string): Promise<void> {
    await eventually(async () => expect(await entry(number)).toMatchObject({ state: "Planned", head }), {
      withinMs: 30_000,
    });
  }

  it("says the plan of every cluster, and edits it when the head is another", async () => {
    const first = await propose(7, files(5, NEW_PASSWORD));
    await planned(7, first);

    expect(comments(7)).toHaveLength(1);
    const { id, body } = comments(7)[0] ?? { id: 0, body: "" };
    for (const cluster of Object.keys(THREE_CLUSTERS)) expect(body).toContain(cluster);
    expect(body).toMatch(/3.*5/);
    const second = await propose(7, files(6, NEW_PASSWORD));
    await planned(7, second);

    expect(comments(7).map((one) => one.id)).toEqual([id]);
    expect(comments(7)[0]?.body).toMatch(/3.*6/);
    expect(comments(7)[0]?.body).not.toBe(body);
    const everything = [server.received, await plane.client.list("gitops.flaghoist.io/v1alpha1", "Reporter")];
    for (const password of [OLD_PASSWORD, NEW_PASSWORD]) {
      expect(JSON.stringify(everything)).not.toContain(password);
      expect(JSON.stringify(everything)).not.toContain(Buffer.from(password).toString("base64"));
    }
  }, 60_000);

  it("plans a fork once somebody permitted has asked for it", async () => {
    const head = await propose(8, files(4), { fork: true, author: server.user("guest") });
    await eventually(async () => expect(await entry(8)).toMatchObject({ state: "Waiting", head }));

    await say(8, "guest", "/flaghoist plan");
    await eventually(() => expect(comments(8)).toHaveLength(1));
    expect(await entry(8)).toMatchObject({ state: "Waiting" });
    await say(8, "eve", "Looks harmless.\n\n/flaghoist plan");

    await planned(8, head);
    expect(await entry(8)).toMatchObject({ requestedBy: "eve" });
    expect(comments(8).some(({ body }) => body.includes("tokyo-1"))).toBe(true);
  }, 60_000);

  it("lets deletions that were approved go on after the merge", async () => {
    const head = await propose(9, files(3, OLD_PASSWORD, KEPT.slice(0, 1)));
    await planned(9, head);
    const { renderHash = "" } = (await entry(9)) ?? {};
    const hash = renderHash.replace("sha256:", "").slice(0, 32);
    expect(comments(9)[0]?.body).toContain(`/flaghoist approve ${hash}`);
    const approval = () =>
      server.statuses.findLast(({ context, sha }) => context === "flaghoist/approval" && sha === head);
    expect(approval()?.state).toMatch(/^(?:pending|running)$/);

    await say(9, "ada", `/flaghoist approve ${hash}`);

    await eventually(() => expect(approval()?.state).toBe("success"));
    const { fixture } = repository;
    fixture.git("merge", "-q", "--no-ff", "-m", "Merge change 9", "change-9");
    fixture.push("main");
    server.addPull({ ...(server.pulls.get(9) ?? { number: 9 }), state: "merged" });
    expect(await deliver({ what: "push", branch: "main", sha: fixture.git("rev-parse", "main") })).toBe(202);
    await eventually(
      async () => {
        const found = await plane.client.get<Sync>(ref("gitops.flaghoist.io/v1alpha1 Sync", NS, "shop"));
        expect(found.status?.lastAppliedRevision).toContain(fixture.git("rev-parse", "main"));
        for (const { client } of plane.members)
          expect(await client.find(ref("v1 ConfigMap", NS, "kept-5"))).toBeUndefined();
      },
      { withinMs: 30_000 },
    );
    const events = await plane.client.list<KubeObject>("v1", "Event", { namespace: NS });
    expect(events.items.map((event) => event["message"])).toContainEqual(
      expect.stringContaining("ada approved them in pull request 9"),
    );
    expect(await deliver({ what: "pull request", number: 9, sha: head })).toBe(202);
    await eventually(async () => expect(await entry(9)).toBeUndefined());
  }, 90_000);

  it("believes no delivery that is not signed", async () => {
    expect(await deliver({ what: "pull request", number: 7, secret: "a guess" })).toBe(401);
  });
});
