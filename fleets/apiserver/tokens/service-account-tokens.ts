// Tokens of ServiceAccounts: signed by the store's own key, valid while the account exists.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from "node:crypto";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Store } from "../storage/store.ts";

export const TOKEN_ISSUER = "https://kubernetes.default.svc";
export const SERVICE_ACCOUNT_KEY = "service-account-key";
const ACCOUNTS = "serviceaccounts";
/** Seconds by which clocks may differ. */
const LEEWAY_S = 60;

/** What a token is about. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresMs: number;
}

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decodePart(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text ?? "", "base64url").toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Issues and checks the tokens of one store. */
export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const pem = store.keep(SERVICE_ACCOUNT_KEY, () => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    });
    this.#privateKey = createPrivateKey(pem);
    this.#publicKey = createPublicKey(this.#privateKey);
    const der = this.#publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
  }

  issue(subject: TokenSubject, audiences: readonly string[], seconds: number): IssuedToken {
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, name, uid } = subject;
    const claims = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: TOKEN_ISSUER,
      jti: randomUUID(),
      "kubernetes.io": { namespace, serviceaccount: { name, uid } },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    const text = `${encodePart({ alg: "ES256", kid: this.#keyId })}.${encodePart(claims)}`;
    const signature = sign("sha256", Buffer.from(text), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return { token: `${text}.${signature.toString("base64url")}`, expiresMs: (now + seconds) * 1000 };
  }

  /** The user of a token; undefined when it is not ours, has expired, or its account is gone. */
  check(token: string): UserInfo | undefined {
    const [head, body, signature, ...more] = token.split(".");
    if (signature === undefined || more.length > 0 || decodePart(head)?.["kid"] !== this.#keyId) return undefined;
    const key = { key: this.#publicKey, dsaEncoding: "ieee-p1363" } as const;
    if (!verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) return undefined;
    const claims = decodePart(body) ?? {};
    const now = this.#clock.now() / 1000;
    if (Number(claims["exp"]) < now || Number(claims["nbf"]) > now + LEEWAY_S) return undefined;
    const audiences = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
    if (!audiences.includes(TOKEN_ISSUER)) return undefined;
    return this.#accountOf(claims);
  }

  #accountOf(claims: Record<string, unknown>): UserInfo | undefined {
    const bound = isObject(claims["kubernetes.io"]) ? claims["kubernetes.io"] : {};
    const account = isObject(bound["serviceaccount"]) ? bound["serviceaccount"] : {};
    const namespace = String(bound["namespace"]);
    const name = String(account["name"]);
    const stored = this.#store.get({ resource: ACCOUNTS, namespace, name });
    if (stored === undefined || stored.uid !== account["uid"]) return undefined;
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid: stored.uid,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": [`JTI=${String(claims["jti"])}`] },
    };
  }

  /** The public key, for whoever checks tokens elsewhere. */
  keySet(): JsonObject {
    const { kty, crv, x, y } = this.#publicKey.export({ format: "jwk" });
    return {
      keys: [{ use: "sig", kty: kty ?? "", kid: this.#keyId, crv: crv ?? "", alg: "ES256", x: x ?? "", y: y ?? "" }],
    };
  }
}
