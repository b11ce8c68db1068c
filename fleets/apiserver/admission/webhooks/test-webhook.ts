// A webhook for tests: a real HTTPS server on loopback with an authority of its own.
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../../runtime/clock.ts";
import { ensureCertificates } from "../../http/certificates.ts";
import type { LooseObject, TestServer } from "../../test-server.ts";

/** What a path answers: the `response` of the review without its uid, or anything by hand. */
export type Behaviour =
  | ((request: LooseObject) => object | Promise<object>)
  | { readonly raw: (body: string, request: IncomingMessage, response: ServerResponse) => void };

export interface TestWebhook {
  readonly url: string;
  readonly port: number;
  /** For `clientConfig`: this server's authority. */
  readonly caBundle: string;
  /** The requests of the reviews that came, by path. */
  readonly seen: Map<string, LooseObject[]>;
  behave(path: string, behaviour: Behaviour): void;
  /** The `clientConfig` of a path. */
  client(path: string): { readonly url: string; readonly caBundle: string };
  close(): Promise<void>;
}

/** Its certificate is for 127.0.0.1, localhost and `hook.default.svc`. */
export async function startTestWebhook(): Promise<TestWebhook> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-webhook-"));
  const names = ["127.0.0.1", "localhost", "hook.default.svc"];
  const { server: pair, caPem } = await ensureCertificates(folder, names, systemClock);
  rmSync(folder, { recursive: true });
  const behaviours = new Map<string, Behaviour>();
  const seen = new Map<string, LooseObject[]>();

  const server = createServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks).toString(), request, response));
  });

  async function answer(body: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const behaviour = behaviours.get(path);
    if (behaviour === undefined) {
      response.writeHead(404).end("no such webhook\n");
      return;
    }
    if ("raw" in behaviour) {
      behaviour.raw(body, request, response);
      return;
    }
    const review = JSON.parse(body) as LooseObject;
    const asked = review["request"]!;
    seen.set(path, [...(seen.get(path) ?? []), asked]);
    const given = await behaviour(asked);
    response.writeHead(200, { "content-type": "application/json" });
    const { apiVersion, kind } = review;
    response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked["uid"], allowed: true, ...given } }));
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  const caBundle = Buffer.from(caPem).toString("base64");
  return {
    url,
    port,
    caBundle,
    seen,
    behave: (path, behaviour) => void behaviours.set(path, behaviour),
    client: (path) => ({ url: `${url}${path}`, caBundle }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The part of a review's answer that carries a JSON patch. */
export function patchAnswer(...operations: readonly object[]): object {
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operations)).toString("base64") };
}

export const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
export const ALL_CONFIG_MAPS = {
  operations: ["CREATE", "UPDATE", "DELETE"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
};

export type Half = "mutating" | "validating";

/** Fields of a webhook that a test sets, and the path of the test's server where it answers. */
export type WebhookParts = { readonly path?: string } & Readonly<Record<string, unknown>>;

/** Registers webhooks `w0.NAME.example.com` and so on, each for ConfigMaps unless its parts say otherwise. */
export async function registerWebhooks(
  test: TestServer,
  hook: TestWebhook,
  half: Half,
  name: string,
  webhooks: readonly WebhookParts[],
): Promise<void> {
  const kind = half === "mutating" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
  const answer = await test.call("POST", `${REGISTRATION}/${half}webhookconfigurations`, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name },
    webhooks: webhooks.map(({ path = "/", ...webhook }, index) => ({
      name: `w${index}.${name}.example.com`,
      clientConfig: hook.client(path),
      rules: [ALL_CONFIG_MAPS],
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      ...webhook,
    })),
  });
  if (answer.status !== 201) throw new Error(`the webhooks were refused: ${String(answer.body["message"])}`);
}
