// Tokens of ServiceAccounts: signed by the store's own key, valid while the account, and what they are bound to, exists.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from "node:crypto";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Store } from "../storage/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { audiencesOf, isSignedBy, type Jwt, parseJwt } from "./jwt.ts";

export const TOKEN_ISSUER = "https://kubernetes.default.svc";
/** Issuer of the tokens in Secrets, which never expire. */
const LEGACY_ISSUER = "kubernetes/serviceaccount";
/** Under which name the store keeps the key that signs. */
export const SERVICE_ACCOUNT_KEY = "service-account-key";
const ACCOUNTS = "serviceaccounts";
/** Seconds by which clocks may differ. */
const LEEWAY_S = 60;
const EXTRA = "authentication.kubernetes.io";

/** What a token is about. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What a token lives and dies with, beside its account. */
export interface BoundObject {
  readonly kind: "Pod" | "Secret" | "Node";
  readonly name: string;
  readonly uid: string;
  /** The node of a bound Pod. */
  readonly node?: { readonly name: string; readonly uid: string } | undefined;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresMs: number;
}

/** A token that holds: whose it is, and for which of the audiences asked about. */
export interface TokenVerdict {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

const BOUND_RESOURCES = { Pod: "pods", Secret: "secrets", Node: "nodes" } as const;

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
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

  issue(subject: TokenSubject, audiences: readonly string[], seconds: number, bound?: BoundObject): IssuedToken {
    const now = Math.floor(this.#clock.now() / 1000);
    const { namespace, name, uid } = subject;
    const claims = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: TOKEN_ISSUER,
      jti: randomUUID(),
      "kubernetes.io": {
        namespace,
        ...(bound?.node === undefined ? {} : { node: bound.node }),
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    return { token: this.#sign(claims), expiresMs: (now + seconds) * 1000 };
  }

  /** The token of a Secret of type `kubernetes.io/service-account-token`. It never expires: the Secret is its life. */
  issueForSecret(subject: TokenSubject, secret: string): string {
    const { namespace, name, uid } = subject;
    return this.#sign({
      iss: LEGACY_ISSUER,
      "kubernetes.io/serviceaccount/namespace": namespace,
      "kubernetes.io/serviceaccount/secret.name": secret,
      "kubernetes.io/serviceaccount/service-account.name": name,
      "kubernetes.io/serviceaccount/service-account.uid": uid,
      sub: `system:serviceaccount:${namespace}:${name}`,
    });
  }

  #sign(claims: JsonObject | object): string {
    const text = `${encodePart({ alg: "ES256", kid: this.#keyId })}.${encodePart(claims)}`;
    const signature = sign("sha256", Buffer.from(text), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }

  /** Whether the token claims to be one of ours; `check` says whether it holds. */
  claims(token: string): boolean {
    const issuer = parseJwt(token)?.claims["iss"];
    return issuer === TOKEN_ISSUER || issuer === LEGACY_ISSUER;
  }

  /**
   * Whose token it is; undefined when it is not ours, has expired, is for none of `audiences`, or when its account or
   * what it is bound to is gone.
   */
  check(token: string, audiences: readonly string[] = [TOKEN_ISSUER]): TokenVerdict | undefined {
    const jwt = parseJwt(token);
    if (jwt === undefined || jwt.header["kid"] !== this.#keyId || jwt.header["alg"] !== "ES256") return undefined;
    if (!isSignedBy(jwt, this.#publicKey)) return undefined;
    if (jwt.claims["iss"] === LEGACY_ISSUER) return this.#checkLegacy(token, jwt.claims, audiences);
    if (jwt.claims["iss"] !== TOKEN_ISSUER) return undefined;
    const now = this.#clock.now() / 1000;
    const { exp, nbf } = jwt.claims;
    if (typeof exp !== "number" || exp < now || Number(nbf) > now + LEEWAY_S) return undefined;
    const own = new Set(audiencesOf(jwt.claims));
    const shared = audiences.filter((each) => own.has(each));
    if (shared.length === 0) return undefined;
    const user = this.#userOf(jwt.claims);
    return user === undefined ? undefined : { user, audiences: shared };
  }

  /** Tokens of Secrets are for the API server alone. */
  #checkLegacy(token: string, claims: Jwt["claims"], audiences: readonly string[]): TokenVerdict | undefined {
    if (!audiences.includes(TOKEN_ISSUER)) return undefined;
    const claim = (name: string): string => String(claims[`kubernetes.io/serviceaccount/${name}`] ?? "");
    const namespace = claim("namespace");
    const secret = this.#living("secrets", namespace, claim("secret.name"));
    const data = isObject(secret?.object["data"]) ? secret.object["data"] : {};
    if (data["token"] !== Buffer.from(token).toString("base64")) return undefined;
    const account = this.#living(ACCOUNTS, namespace, claim("service-account.name"));
    if (account === undefined || account.uid !== claim("service-account.uid")) return undefined;
    return { user: userOfAccount(account, {}), audiences: [TOKEN_ISSUER] };
  }

  #userOf(claims: Jwt["claims"]): UserInfo | undefined {
    const about = isObject(claims["kubernetes.io"]) ? claims["kubernetes.io"] : {};
    const namespace = String(about["namespace"]);
    const named = (key: string): { name: string; uid: string } | undefined => {
      const value = about[key];
      return isObject(value) ? { name: String(value["name"]), uid: String(value["uid"]) } : undefined;
    };
    const account = named("serviceaccount");
    const stored = account === undefined ? undefined : this.#living(ACCOUNTS, namespace, account.name);
    if (stored === undefined || stored.uid !== account?.uid) return undefined;
    const pod = named("pod");
    const secret = named("secret");
    const node = named("node");
    if (pod !== undefined && this.#living("pods", namespace, pod.name)?.uid !== pod.uid) return undefined;
    if (secret !== undefined && this.#living("secrets", namespace, secret.name)?.uid !== secret.uid) return undefined;
    // The node of a bound Pod is told and not checked.
    if (pod === undefined && node !== undefined && this.#living("nodes", "", node.name)?.uid !== node.uid)
      return undefined;
    return userOfAccount(stored, {
      [`${EXTRA}/credential-id`]: [`JTI=${String(claims["jti"])}`],
      ...(node === undefined ? {} : { [`${EXTRA}/node-name`]: [node.name], [`${EXTRA}/node-uid`]: [node.uid] }),
      ...(pod === undefined ? {} : { [`${EXTRA}/pod-name`]: [pod.name], [`${EXTRA}/pod-uid`]: [pod.uid] }),
    });
  }

  /** A stored object that is not being deleted. */
  #living(resource: string, namespace: string, name: string): StoredObject | undefined {
    const stored = this.#store.get({ resource, namespace, name });
    return stored?.object.metadata.deletionTimestamp === undefined ? stored : undefined;
  }

  /** What a token may be bound to; undefined when it is not there. A Pod brings its node along. */
  findBound(kind: BoundObject["kind"], namespace: string, name: string): BoundObject | undefined {
    const place = kind === "Node" ? "" : namespace;
    const stored = this.#store.get({ resource: BOUND_RESOURCES[kind], namespace: place, name });
    if (stored === undefined) return undefined;
    const spec = isObject(stored.object["spec"]) ? stored.object["spec"] : {};
    const nodeName = kind === "Pod" && typeof spec["nodeName"] === "string" ? spec["nodeName"] : "";
    const node = nodeName === "" ? undefined : this.#store.get({ resource: "nodes", namespace: "", name: nodeName });
    return {
      kind,
      name,
      uid: stored.uid,
      ...(nodeName === "" ? {} : { node: { name: nodeName, uid: node?.uid ?? "" } }),
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

function userOfAccount(account: StoredObject, extra: NonNullable<UserInfo["extra"]>): UserInfo {
  const { namespace, name, uid } = account;
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
