// A push that a host tells of is fetched at once by all that follow what was pushed, wherever they stand, and by nobody else.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GitRepository } from "../../api/gitops.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type DeliveryOptions, deliveryOf } from "../forges/deliveries.ts";
import { FakeGitHub } from "../forges/fake-github.ts";
import { TOKEN } from "../forges/fake-server.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { HOSTED_PATHS, reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { configMap, gitRepository, namespaceObject, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import type { ServedRepository } from "./support/repository.ts";

const HOOK_SECRET = "the-secret-of-the-webhook";
const API = "gitops.flaghoist.io/v1alpha1";

describe.runIf(hasGit())("a push that a webhook tells of", () => {
  let plane: Plane;
  let repository: ServedRepository;
  let server: FakeGitHub;
  let deliveries = 0;

  beforeAll(async () => {
    server = await new FakeGitHub().start();
    plane = await startPlane({ engine: "embedded", members: {}, takesWebhooks: true });
    repository = await serveHostedRepository();
    commit("first");
    tag("v1.0.0");
    repository.fixture.push("HEAD:refs/heads/topic");
    const url = `${repository.server.url}/${HOSTED_PATHS.octo}`;
    // Nothing but a webhook makes anything happen soon.
    const source = (namespace: string, name: string, spec: object): KubeObject =>
      gitRepository(namespace, name, url, { interval: "24h", ...spec });
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      namespaceObject("other"),
      secretOf("bot", TOKEN),
      secretOf("hook", HOOK_SECRET),
      source("shop", "shop", { ref: { branch: "main" } }),
      // Git asks by another address, and the host knows it by the same.
      source("other", "twin", { url: url.replace("://", "://ada@") }),
      source("other", "versions", { ref: { semver: ">=1" } }),
      source("other", "topic", { ref: { branch: "topic" } }),
      source("other", "elsewhere", { url: `${repository.server.url}/${HOSTED_PATHS.gitlab}` }),
      reporter("shop", "shop", {
        provider: "github",
        providerUrl: server.url,
        interval: "24h",
        webhook: { secretRef: { name: "hook" } },
      }),
    );
    await eventually(async () => {
      for (const [namespace, name] of ALL) expect(await revisionOf(namespace, name)).toMatch(/sha1:/);
      expect(await plane.client.get(ref(`${API} Reporter`, "shop", "shop"))).toMatchObject({
        status: { webhookPath: "/hook/shop/shop" },
      });
    });
  }, 60_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    await server?.stop();
  });

  const ALL = [
    ["shop", "shop"],
    ["other", "twin"],
    ["other", "versions"],
    ["other", "elsewhere"],
    ["other", "topic"],
  ] as const;

  function secretOf(name: string, token: string): KubeObject {
    return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "shop" }, stringData: { token } };
  }

  function commit(text: string): string {
    return repository.push(text, { "settings.yaml": yamlOf(configMap("shop", "settings", { text })) });
  }

  function tag(name: string): void {
    repository.fixture.git("tag", name);
    repository.fixture.push(`refs/tags/${name}`);
  }

  async function revisionOf(namespace: string, name: string): Promise<string> {
    const found = await plane.client.get<GitRepository>(ref(`${API} GitRepository`, namespace, name));
    return found.status?.artifact?.revision ?? "";
  }

  const revisions = () => Promise.all(ALL.map(([namespace, name]) => revisionOf(namespace, name)));

  async function tell(more: Partial<DeliveryOptions>): Promise<number> {
    const { headers, body } = deliveryOf({
      kind: "github",
      what: "push",
      secret: HOOK_SECRET,
      repository: "octo/shop",
      cloneUrl: server.cloneUrl,
      id: `delivery-${++deliveries}`,
      ...more,
    });
    const answer = await fetch(`${plane.control.webhookUrl}/hook/shop/shop`, { method: "POST", headers, body });
    await answer.text();
    return answer.status;
  }

  it("is fetched by every GitRepository that follows the branch", async () => {
    const [, , versions, elsewhere] = await revisions();
    const sha = commit("second");

    expect(await tell({ sha })).toBe(202);

    await eventually(async () => {
      expect(await revisionOf("shop", "shop")).toContain(sha);
      expect(await revisionOf("other", "twin")).toContain(sha);
    });
    expect(await revisionOf("other", "versions")).toBe(versions);
    expect(await revisionOf("other", "elsewhere")).toBe(elsewhere);
  });

  it("of a tag is fetched by those that follow versions", async () => {
    const [main, twin] = await revisions();
    const sha = commit("third");
    tag("v1.1.0");

    expect(await tell({ sha, tag: "v1.1.0" })).toBe(202);

    await eventually(async () => expect(await revisionOf("other", "versions")).toContain(`v1.1.0@sha1:${sha}`));
    expect(await revisionOf("shop", "shop")).toBe(main);
    expect(await revisionOf("other", "twin")).toBe(twin);
  });

  it("is nothing to anybody without a proof or about another repository, and to who follows another branch", async () => {
    const [main, twin, versions, elsewhere] = await revisions();
    const sha = commit("fourth");
    repository.fixture.push("HEAD:refs/heads/topic");

    expect(await tell({ sha, secret: "wrong" })).toBe(401);
    expect(await tell({ sha, repository: "octo/other" })).toBe(200);
    expect(await tell({ sha, branch: "topic" })).toBe(202);

    await eventually(async () => expect(await revisionOf("other", "topic")).toContain(sha));
    expect((await revisions()).slice(0, 4)).toEqual([main, twin, versions, elsewhere]);
  });
});
