import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Reporter } from "../../../api/reporter.ts";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { FakeGitea } from "../../../test/forges/fake-gitea.ts";
import { TOKEN } from "../../../test/forges/fake-server.ts";
import { installDefinitions } from "../../cli/install.ts";
import { type ControllerContext, createContext } from "../context.ts";
import { GITOPS_API } from "../sync/git-repository.ts";
import { ReporterForges } from "./open-reporter-forge.ts";

const call = { signal: new AbortController().signal };

let host: FakeGitea;
let server: ApiServer;
let context: ControllerContext;
let forges: ReporterForges;

beforeEach(async () => {
  host = await new FakeGitea().start();
  server = await createApiServer({ name: "store", clock: systemClock, logger: silentLogger });
  const client = new KubeClient(server.handle);
  await installDefinitions(client, systemClock);
  context = createContext({ client, clock: systemClock, logger: silentLogger, newUuid: () => "id" });
  context.informers.of(GITOPS_API, "GitRepository");
  await context.informers.synced();
  forges = new ReporterForges({ context, clock: systemClock, random: () => 0.5 });
});

afterEach(async () => {
  forges.close();
  await context.informers.stop();
  await server.close();
  await host.stop();
});

function reporter(spec: Partial<Reporter["spec"]> = {}): Reporter {
  return {
    apiVersion: GITOPS_API,
    kind: "Reporter",
    metadata: { name: "shop", namespace: "default" },
    spec: {
      sourceRef: { kind: "GitRepository", name: "shop" },
      secretRef: { name: "bot" },
      provider: "forgejo",
      ...spec,
    },
  };
}

async function create(object: KubeObject): Promise<void> {
  const created = await context.client.create(object);
  if (object.kind === "GitRepository") context.informers.of(GITOPS_API, "GitRepository").adopt(created);
}

function source(spec: object = {}): KubeObject {
  return {
    apiVersion: GITOPS_API,
    kind: "GitRepository",
    metadata: { name: "shop", namespace: "default" },
    spec: { url: host.cloneUrl, ...spec },
  };
}

function secret(name: string, stringData: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "default" }, stringData };
}

describe("the forge of a Reporter", () => {
  it("is opened with what its Secret says, and the repository with what the source's says", async () => {
    await create(source({ secretRef: { name: "deploy" }, timeout: "20s" }));
    await create(secret("bot", { token: TOKEN }));
    await create(secret("deploy", { username: "ann", password: "readonly" }));

    const { forge, remote, repository } = await forges.open(reporter());

    expect(await forge.whoAmI(call)).toMatchObject({ name: "flaghoist-bot" });
    expect(forge.kind).toBe("gitea");
    expect(remote).toEqual({
      url: host.cloneUrl,
      credentials: { username: "ann", password: "readonly" },
      timeoutMs: 20_000,
    });
    expect(repository.metadata.name).toBe("shop");
  });

  it("stays the same until the Secret, the address or the spec says otherwise", async () => {
    await create(source());
    await create(secret("bot", { token: "old" }));
    const first = await forges.open(reporter());

    expect((await forges.open(reporter({ interval: "1h" }))).forge).toBe(first.forge);
    await context.client.patch(
      { apiVersion: "v1", kind: "Secret", namespace: "default", name: "bot" },
      { stringData: { token: TOKEN } },
      "merge",
    );
    const second = await forges.open(reporter());
    expect(second.forge).not.toBe(first.forge);
    expect(await second.forge.whoAmI(call)).toMatchObject({ name: "flaghoist-bot" });
    expect((await forges.open(reporter({ user: "somebody" }))).forge).not.toBe(second.forge);
  });

  it("is anew after it was forgotten", async () => {
    await create(source());
    await create(secret("bot", { token: TOKEN }));
    const { forge } = await forges.open(reporter());

    forges.forget("default/shop");

    expect((await forges.open(reporter())).forge).not.toBe(forge);
  });

  it("is not there without the source or a Secret, and says which one", async () => {
    await expect(forges.open(reporter())).rejects.toMatchObject({
      code: "reporter-source-missing",
      message: "spec.sourceRef names GitRepository default/shop, which does not exist",
      recovery: "wait",
    });
    await create(source({ secretRef: { name: "deploy" } }));
    await expect(forges.open(reporter())).rejects.toMatchObject({
      code: "reporter-secret-missing",
      message: "spec.secretRef names Secret default/bot, which does not exist",
    });
    await create(secret("bot", { token: TOKEN }));
    await expect(forges.open(reporter())).rejects.toThrow(
      "spec.secretRef of GitRepository default/shop names Secret default/deploy, which does not exist",
    );
  });

  it("is not there for an unknown host, and no message holds the token", async () => {
    await create(source({ url: "https://git.example.com/octo/shop.git" }));
    await create(secret("bot", { token: `${TOKEN} and more` }));
    const { provider: _, ...spec } = reporter().spec;

    await expect(forges.open({ ...reporter(), spec })).rejects.toMatchObject({ code: "forge-address-unknown" });
    await expect(forges.open(reporter())).rejects.toMatchObject({ code: "forge-credentials-invalid" });
    await expect(forges.open(reporter())).rejects.not.toThrow(TOKEN);
  });
});
