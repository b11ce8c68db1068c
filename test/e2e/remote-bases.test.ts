// A Sync whose kustomization is based on other repositories: allowed or not, reachable or not.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringifyYaml } from "../../kube/yaml.ts";
import { parseAllowedRemote } from "../../sources/remote-allow-list.ts";
import { hasGit } from "../git-server.ts";
import { runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { configMap, gitRepository, namespaceObject, sync } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const CREDENTIALS = { username: "ann", password: "s3cret" };

describe.runIf(hasGit())("a Sync with remote bases", () => {
  let plane: Plane;
  let shop: ServedRepository;
  let platform: ServedRepository;
  let secret: ServedRepository;
  /** Of the server of `platform`. */
  let isDown = false;

  beforeAll(async () => {
    shop = await serveRepository();
    platform = await serveRepository({
      intercept: (_request, response) => {
        if (isDown) response.writeHead(503).end();
        return isDown;
      },
    });
    secret = await serveRepository({ basicAuth: CREDENTIALS });
    const remoteBases = [
      parseAllowedRemote(platform.url),
      parseAllowedRemote(secret.url, { credentials: CREDENTIALS, namespaces: [NS] }),
    ];
    plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS, remoteBases });
    publish(platform, "v1", {
      "base/kustomization.yaml": "resources: [settings.yaml]\n",
      "base/settings.yaml": settings("one"),
    });
    publish(secret, "v1", {
      "kustomization.yaml": "resources: [secret.yaml]\n",
      "secret.yaml": stringifyYaml(configMap(NS, "hidden", { a: "b" })),
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    for (const repository of [shop, platform, secret]) await repository?.close();
  });

  function publish(repository: ServedRepository, tag: string, files: Readonly<Record<string, string>>): void {
    repository.push(tag, files);
    repository.fixture.git("tag", "-f", tag);
    repository.fixture.git("push", "-q", "-f", "origin", "--tags");
  }

  function settings(value: string): string {
    return stringifyYaml(configMap(NS, "settings", { value }));
  }

  function overlay(...entries: string[]): Record<string, string> {
    return {
      "app/kustomization.yaml": `namePrefix: my-\nresources: ${JSON.stringify(["ns.yaml", ...entries])}\n`,
      "app/ns.yaml": stringifyYaml(namespaceObject(NS)),
    };
  }

  async function value(name: string): Promise<unknown> {
    return at(await plane.client.find(ref("v1 ConfigMap", NS, name)), "data");
  }

  async function untilReady(status: "True" | "False", message: unknown): Promise<void> {
    await eventually(async () => {
      expect(conditionOf(await readSync(plane, NS, "shop"), "Ready")).toMatchObject({ status, message });
    });
  }

  it("applies what the bases hold, one of them with credentials", async () => {
    const commit = shop.push("first", overlay(`${platform.url}//base?ref=v1`, `${secret.url}?ref=v1`));

    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", shop.url),
      sync(NS, "shop", { path: "app", pruneLimitPercent: 100 }),
    );

    await untilReady("True", `Applied revision: main@sha1:${commit}`);
    expect([await value("my-settings"), await value("my-hidden")]).toEqual([{ value: "one" }, { a: "b" }]);
  });

  it("stays with the commit that the tag was, without asking for it again", async () => {
    publish(platform, "v1", { "base/settings.yaml": settings("two") });
    const { length } = platform.server.requests;
    const files = overlay(`${platform.url}//base?ref=v1`, `${secret.url}?ref=v1`);

    const commit = shop.push("more", {
      ...files,
      "app/kustomization.yaml": `${files["app/kustomization.yaml"]}nameSuffix: -x\n`,
    });

    await untilReady("True", `Applied revision: main@sha1:${commit}`);
    expect(await value("my-settings-x")).toEqual({ value: "one" });
    expect(platform.server.requests).toHaveLength(length);
  });

  it.each([
    ["a branch", () => `${platform.url}//base?ref=main`, "whose content may change"],
    ["what no pattern allows", () => `${shop.url}//app?ref=v1`, "is not allowed as a remote base"],
    ["a tag that is not there", () => `${platform.url}//base?ref=v7`, "which is no tag"],
  ])("refuses %s and leaves what runs", async (_, entry, why) => {
    shop.push("other", overlay(entry()));

    await untilReady("False", expect.stringContaining(why));

    expect(conditionOf(await readSync(plane, NS, "shop"), "Ready")?.message).toContain("app/kustomization.yaml:2");
    expect(await value("my-settings-x")).toEqual({ value: "one" });
  });

  it("tries again when a server fails, and goes on when it does not", async () => {
    publish(platform, "v2", { "base/settings.yaml": settings("three") });
    isDown = true;
    const commit = shop.push("newer", overlay(`${platform.url}//base?ref=v2`));
    await untilReady("False", expect.stringContaining("answered HTTP 503"));
    expect(await value("my-settings-x")).toEqual({ value: "one" });

    isDown = false;

    await untilReady("True", `Applied revision: main@sha1:${commit}`);
    expect(await value("my-settings")).toEqual({ value: "three" });
  });

  it("is planned without fetching, unless the command line allows it", async () => {
    const run = (...args: string[]) =>
      runFlaghoist(["plan", "app", ...args], {
        cwd: shop.fixture.work,
        env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig, XDG_CACHE_HOME: shop.fixture.root },
      });
    const files = overlay(`${platform.url}//base?ref=v2`);
    shop.fixture.write({ ...files, "app/kustomization.yaml": `${files["app/kustomization.yaml"]}nameSuffix: -y\n` });
    const { length } = platform.server.requests;

    const refused = await run();
    expect(refused.err).toContain("allow it (--allow-remote-bases)");
    expect(platform.server.requests).toHaveLength(length);
    const planned = await run("--allow-remote-bases", platform.url);
    expect(planned.out).toContain("ConfigMap shop/my-settings-y");
  });
});
