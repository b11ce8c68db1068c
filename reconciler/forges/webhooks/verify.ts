// Whether a delivery comes from who knows the secret.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ForgeKind } from "../forge.ts";

export type Header = (name: string) => string | undefined;

/** How far the time of a signed delivery may be from ours. */
const TOLERANCE_S = 300;

/** Whether one of the secrets signed this. An empty secret signs nothing. Takes equally long whatever differs. */
export function isGenuine(
  kind: ForgeKind,
  header: Header,
  body: Buffer,
  secrets: readonly string[],
  now: number,
): boolean {
  return secrets.some((secret) => secret !== "" && holds(kind, header, body, secret, now));
}

/** Where the provider puts what proves it, for people who have to find out why it does not. */
export function proofName(kind: ForgeKind): string {
  switch (kind) {
    case "github":
      return "X-Hub-Signature-256";
    case "gitlab":
      return "X-Gitlab-Token or webhook-signature";
    case "gitea":
      return "X-Gitea-Signature";
    case "bitbucket-cloud":
    case "bitbucket-data-center":
      return "X-Hub-Signature";
    case "azure-devops":
      return "Authorization";
  }
}

function holds(kind: ForgeKind, header: Header, body: Buffer, secret: string, now: number): boolean {
  switch (kind) {
    case "github":
      return isSigned(header("x-hub-signature-256"), "sha256=", body, secret);
    case "gitlab":
      return isEqual(header("x-gitlab-token"), secret) || isStandardSigned(header, body, secret, now);
    case "gitea": {
      // Each of them is enough to trust: Forgejo, Gitea and Gogs.
      const own = header("x-forgejo-signature") ?? header("x-gitea-signature") ?? header("x-gogs-signature");
      return isSigned(own, "", body, secret);
    }
    case "bitbucket-cloud":
    case "bitbucket-data-center":
      return isSigned(header("x-hub-signature"), "sha256=", body, secret);
    case "azure-devops":
      return isBasic(header("authorization"), secret);
  }
}

function isSigned(given: string | undefined, prefix: string, body: Buffer, secret: string): boolean {
  if (given === undefined || !given.startsWith(prefix)) return false;
  return isEqual(given.slice(prefix.length).toLowerCase(), createHmac("sha256", secret).update(body).digest("hex"));
}

/** GitLab's signing tokens: as the specification "Standard Webhooks" says, over id, time and body. */
function isStandardSigned(header: Header, body: Buffer, secret: string, now: number): boolean {
  const id = header("webhook-id") ?? "";
  const time = header("webhook-timestamp") ?? "";
  const given = header("webhook-signature") ?? "";
  if (!/^[0-9]{1,12}$/.test(time) || Math.abs(Number(time) - now / 1000) > TOLERANCE_S) return false;
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
  if (key.length === 0) return false;
  const wanted = `v1,${createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64")}`;
  return given.split(" ", 10).some((one) => isEqual(one, wanted));
}

/** The secret is the password, or user name and password with a colon between. */
function isBasic(given: string | undefined, secret: string): boolean {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(given ?? "")?.[1];
  if (encoded === undefined) return false;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const password = pair.slice(pair.indexOf(":") + 1);
  // Both are compared, so that the time does not tell which was the near one.
  return [isEqual(pair, secret), isEqual(password, secret)].includes(true);
}

/** Digests have the same length, so that comparing them tells nothing of the secret's. */
function isEqual(given: string | undefined, wanted: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(wanted));
}
