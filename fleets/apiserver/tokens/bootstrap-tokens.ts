// Bootstrap tokens: Secrets by which somebody who has no identity yet may ask for one.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Store } from "../storage/store.ts";

export const BOOTSTRAP_TOKEN_TYPE = "bootstrap.kubernetes.io/token";
export const BOOTSTRAP_TOKEN_NAMESPACE = "kube-system";
const PREFIX = "bootstrap-token-";
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const BOOTSTRAPPERS = "system:bootstrappers";

/** What a Secret of the type says, decoded. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  /** Milliseconds; undefined: never. A time that cannot be read has passed. */
  readonly expiresAt: number | undefined;
  readonly usages: readonly string[];
  /** Beside `system:bootstrappers`; undefined when one of them is none that a token may have. */
  readonly groups: readonly string[] | undefined;
}

/** The token in a Secret; undefined for a Secret that holds none, or stands under another name than its token's. */
export function readBootstrapToken(secret: KubeObject): BootstrapToken | undefined {
  if (secret["type"] !== BOOTSTRAP_TOKEN_TYPE || secret.metadata.deletionTimestamp !== undefined) return undefined;
  const data = isObject(secret["data"]) ? secret["data"] : {};
  const text = (key: string): string =>
    typeof data[key] === "string" ? Buffer.from(data[key], "base64").toString("utf8") : "";
  const id = text("token-id");
  const value = text("token-secret");
  if (!TOKEN.test(`${id}.${value}`) || secret.metadata.name !== `${PREFIX}${id}`) return undefined;
  const usages = Object.keys(data)
    .filter((key) => key.startsWith("usage-bootstrap-") && text(key) === "true")
    .map((key) => key.slice("usage-bootstrap-".length))
    .sort();
  const groups = text("auth-extra-groups")
    .split(",")
    .map((group) => group.trim())
    .filter((group) => group !== "");
  return {
    id,
    secret: value,
    expiresAt: expiryOf(text("expiration")),
    usages,
    groups: groups.every((group) => GROUP.test(group)) ? groups : undefined,
  };
}

function expiryOf(text: string): number | undefined {
  if (text === "") return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

export function isExpired({ expiresAt }: BootstrapToken, nowMs: number): boolean {
  return expiresAt !== undefined && expiresAt <= nowMs;
}

/** The user of a bearer token that is a bootstrap token of the store; undefined for every other. */
export function bootstrapUser(store: Store, clock: Clock, bearer: string): UserInfo | undefined {
  const [, id, secret = ""] = TOKEN.exec(bearer) ?? [];
  if (id === undefined) return undefined;
  const stored = store.get({ resource: "secrets", namespace: BOOTSTRAP_TOKEN_NAMESPACE, name: `${PREFIX}${id}` });
  const token = stored === undefined ? undefined : readBootstrapToken(stored.object);
  if (token === undefined || !timingSafeEqual(Buffer.from(token.secret), Buffer.from(secret))) return undefined;
  if (isExpired(token, clock.now()) || !token.usages.includes("authentication") || token.groups === undefined)
    return undefined;
  return { name: `system:bootstrap:${id}`, groups: [BOOTSTRAPPERS, ...token.groups] };
}

/** A JWS of `content` with the content left out, by which who knows the token sees that its maker knew it, too. */
export function signDetached(content: string, { id, secret }: Pick<BootstrapToken, "id" | "secret">): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  const payload = Buffer.from(content).toString("base64url");
  const signature = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}..${signature}`;
}
