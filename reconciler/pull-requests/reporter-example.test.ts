// What examples/reporter holds is taken as it stands, and its page says what is so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GitRepository } from "../../api/gitops.ts";
import type { Reporter } from "../../api/reporter.ts";
import { decodeSecret, type SecretData } from "../../fleets/connect.ts";
import type { KubeObject } from "../../kube/object.ts";
import { parseYamlDocuments } from "../../kube/yaml.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { credentialsFromSecret } from "../../sources/git/credentials.ts";
import { deliveryOf } from "../../test/forges/deliveries.ts";
import { openQuietPlane, type QuietPlane } from "../../test/quiet-plane.ts";
import { WEBHOOK_OPTIONS } from "../cli/webhook-settings.ts";
import { forgeCredentialsFromSecret } from "../forges/credentials-from-secret.ts";
import { PROVIDERS, repositoryAddress } from "../forges/repository-address.ts";
import { WEBHOOK_MAX_BYTES } from "../forges/webhooks/read-webhook.ts";
import { startWebhookListener, webhookPath } from "./webhook-listener.ts";

const FOLDER = join(import.meta.dirname, "../../examples/reporter");
const page = readFileSync(join(FOLDER, "README.md"), "utf8");
const API = "gitops.flaghoist.io/v1alpha1";

let plane: QuietPlane;
beforeAll(async () => {
  plane = await openQuietPlane();
  const documents = ["reporter.yaml", "secrets.yaml"].flatMap((name) => {
    return parseYamlDocuments(readFileSync(join(FOLDER, name), "utf8"), { file: name });
  });
  // What is no object is refused by the server.
  for (const { value } of documents) await plane.client.create(value as KubeObject);
});
afterAll(() => plane.close());

function find<T extends KubeObject>(apiVersion: string, kind: string, name: string): Promise<T> {
  // The objects were stored as what they say they are.
  return plane.client.get({ apiVersion, kind, namespace: "shop", name }) as Promise<T>;
}

async function secret(name: string | undefined): Promise<SecretData> {
  return decodeSecret(await find("v1", "Secret", name ?? ""));
}

describe("the example of a Reporter", () => {
  it("names Secrets that hold what is needed of each, and no value of anybody", async () => {
    const reporter = await find<Reporter>(API, "Reporter", "shop");
    const { name = "" } = reporter.spec.sourceRef;
    const source = await find<GitRepository>(API, "GitRepository", name);
    const [git, host, hook] = await Promise.all([
      secret(source.spec.secretRef?.name),
      secret(reporter.spec.secretRef.name),
      secret(reporter.spec.webhook?.secretRef.name),
    ]);

    expect(credentialsFromSecret(git)).toMatchObject({ username: "flaghoist" });
    expect(forgeCredentialsFromSecret(host).credentials).toMatchObject({ type: "token" });
    expect(Object.keys(hook)).toEqual(["token"]);
    for (const value of [git["password"], host["token"], hook["token"]])
      expect(String(value)).toMatch(/^REPLACE-WITH-/);
    expect(repositoryAddress(source.spec.url).kind).toBe("github");
  });

  it("takes a delivery at the address that its page gives, signed with the secret that it names", async () => {
    const { metadata, spec } = await find<Reporter>(API, "Reporter", "shop");
    const path = webhookPath(metadata.namespace ?? "", metadata.name ?? "");
    expect(page).toContain(`https://hooks.example.com${path}`);
    const token = String((await secret(spec.webhook?.secretRef.name))["token"]);
    const told = Promise.withResolvers<string>();
    const listener = await startWebhookListener({
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      logger: silentLogger,
      metrics: new Metrics(),
      find: (asked) =>
        asked === path ? { kind: "github", repository: "acme/shop", secrets: async () => [token] } : undefined,
      onEvent: (_path, event) => told.resolve(event.type),
    });
    const { headers, body } = deliveryOf({
      kind: "github",
      what: "comment",
      secret: token,
      repository: "acme/shop",
      cloneUrl: "https://github.com/acme/shop.git",
    });

    const answer = await fetch(`${listener.url}${path}`, { method: "POST", headers, body });

    expect(answer.status).toBe(202);
    expect(await told.promise).toBe("comment");
    await listener.close();
  });

  it("has a page that names options, hosts and bounds as they are", () => {
    const options = [...page.matchAll(/--(webhook-[a-z-]+)/g)].map(([, name]) => name);

    expect(options.sort()).toEqual(Object.keys(WEBHOOK_OPTIONS).sort());
    for (const provider of Object.values(PROVIDERS)) expect(page).toMatch(new RegExp(`^\\| ${provider}\\b`, "m"));
    expect(page).toContain(`proxy-body-size: ${WEBHOOK_MAX_BYTES / 2 ** 20}m`);
    expect(page.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });
});
