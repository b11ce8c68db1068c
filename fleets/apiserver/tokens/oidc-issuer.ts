// Tokens of an OpenID Connect provider, such as Dex, Keycloak or a cloud's identity service.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { audiencesOf, isSignedBy, type Jwt, parseJwt, type SigningAlgorithm } from "./jwt.ts";
import { type FetchJson, KeySource } from "./key-source.ts";

/** What to believe of one provider. The names are those of kube-apiserver's flags. */
export interface OidcOptions {
  /** `https://...`, exactly as the provider writes it into its tokens. */
  readonly issuerUrl: string;
  /** Where the discovery document is, when not below the issuer's URL. */
  readonly discoveryUrl?: string | undefined;
  /** Audiences of which a token must have one. */
  readonly clientIds: readonly string[];
  readonly usernameClaim: string;
  /** Put before user names; absent: the issuer's URL and `#`, unless the claim is `email`. */
  readonly usernamePrefix?: string | undefined;
  readonly groupsClaim?: string | undefined;
  readonly groupsPrefix?: string | undefined;
  readonly uidClaim?: string | undefined;
  /** Claims that a token must have with exactly these texts. */
  readonly requiredClaims?: Readonly<Record<string, string>> | undefined;
  readonly signingAlgorithms?: readonly SigningAlgorithm[] | undefined;
}

/** Seconds by which a token may be from the future. As the reference; an expired token has no such grace. */
const NOT_BEFORE_LEEWAY_S = 300;
/** A token of more groups is a mistake of its provider. */
const MOST_GROUPS = 10_000;

/** Checks the tokens of one provider. Its keys are fetched when first needed, and again when a new one appears. */
export class OidcIssuer {
  readonly #options: OidcOptions;
  readonly #keys: KeySource;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: OidcOptions, fetchJson: FetchJson, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#keys = new KeySource(options, fetchJson, clock);
  }

  /** Whether a token says that it is from here. */
  claims(token: string): boolean {
    return parseJwt(token)?.claims["iss"] === this.#options.issuerUrl;
  }

  /** The user of a token; undefined when it does not hold. Why is logged, for the token's owner learns nothing of it. */
  async check(token: string): Promise<UserInfo | undefined> {
    try {
      const jwt = parseJwt(token);
      if (jwt === undefined) return undefined;
      await this.#verify(jwt);
      return this.#userOf(jwt.claims);
    } catch (error) {
      this.#logger.info("refused a token", { issuer: this.#options.issuerUrl, reason: messageOf(error) });
      return undefined;
    }
  }

  /** Fetches the provider's keys, to tell early that it cannot be reached. */
  async prepare(): Promise<void> {
    await this.#keys.refresh();
  }

  async #verify(jwt: Jwt): Promise<void> {
    const { issuerUrl, clientIds, signingAlgorithms = ["RS256"], requiredClaims = {} } = this.#options;
    const { claims, header } = jwt;
    if (claims["iss"] !== issuerUrl) throw new Error("another issuer");
    if (!audiencesOf(claims).some((audience) => clientIds.includes(audience)))
      throw new Error("the token is for none of the client ids");
    const now = this.#clock.now() / 1000;
    const { exp, nbf } = claims;
    if (typeof exp !== "number") throw new Error("the token has no expiry");
    if (exp < now) throw new Error("the token has expired");
    if (typeof nbf === "number" && nbf > now + NOT_BEFORE_LEEWAY_S) throw new Error("the token is not valid yet");
    const alg = header["alg"];
    if (!(signingAlgorithms as readonly unknown[]).includes(alg)) throw new Error(`signed by ${String(alg)}`);
    const keyId = typeof header["kid"] === "string" ? header["kid"] : undefined;
    if (!(await this.#keys.someKey(keyId, (key) => isSignedBy(jwt, key))))
      throw new Error("no key of the issuer signed it");
    for (const [claim, wanted] of Object.entries(requiredClaims)) {
      if (ownClaim(claims, claim) !== wanted) throw new Error(`the claim ${claim} is not as required`);
    }
  }

  #userOf(claims: Jwt["claims"]): UserInfo {
    const { usernameClaim, groupsClaim, groupsPrefix = "", uidClaim } = this.#options;
    const name = ownClaim(claims, usernameClaim);
    if (typeof name !== "string" || name === "") throw new Error(`the claim ${usernameClaim} is no text`);
    // As the reference: an address that its provider has not verified is anybody's.
    if (usernameClaim === "email" && Object.hasOwn(claims, "email_verified") && claims["email_verified"] !== true)
      throw new Error("the email address is not verified");
    const given = groupsClaim === undefined ? undefined : ownClaim(claims, groupsClaim);
    const uid = uidClaim === undefined ? undefined : ownClaim(claims, uidClaim);
    return {
      name: `${this.#usernamePrefix()}${name}`,
      groups: [...textsOf(given, groupsClaim ?? "").map((group) => `${groupsPrefix}${group}`), "system:authenticated"],
      ...(typeof uid === "string" ? { uid } : {}),
      ...(typeof claims["jti"] === "string" && claims["jti"] !== ""
        ? { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claims["jti"]}`] } }
        : {}),
    };
  }

  #usernamePrefix(): string {
    const { usernamePrefix, usernameClaim, issuerUrl } = this.#options;
    if (usernamePrefix !== undefined) return usernamePrefix;
    return usernameClaim === "email" ? "" : `${issuerUrl}#`;
  }
}

function ownClaim(claims: Jwt["claims"], name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** A claim of one text or of several. */
function textsOf(value: unknown, claim: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MOST_GROUPS) throw new Error(`the claim ${claim} has more than ${MOST_GROUPS} values`);
  return list.map((each) => {
    if (typeof each !== "string") throw new Error(`the claim ${claim} is neither a text nor a list of texts`);
    return each;
  });
}
