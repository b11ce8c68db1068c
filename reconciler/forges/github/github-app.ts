// Credentials of a GitHub App: a signed claim of the app buys a token for its installation, which lasts for an hour.
import { createPrivateKey, createSign, type KeyObject } from "node:crypto";
import type { Clock } from "../../../runtime/clock.ts";
import { forgeCredentialsInvalid } from "../errors.ts";
import type { Call } from "../forge.ts";
import type { ForgeAuth } from "../http/credentials.ts";
import { type ForgeHttp, path } from "../http/forge-http.ts";

export interface GitHubAppKey {
  /** The app's id, or its client id. */
  readonly appId: string;
  /** PEM. */
  readonly privateKey: string;
  /** Found by the repository when it is not given. */
  readonly installationId?: string | undefined;
}

/** A token is renewed this long before it ends. */
const MARGIN_MS = 300_000;

/** The claim of an app: nine minutes from now, of the ten that GitHub allows, and from a minute ago, for clocks that differ. */
export function appToken(appId: string, key: KeyObject, now: number): string {
  const seconds = Math.floor(now / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const content = `${encode({ alg: "RS256", typ: "JWT" })}.${encode({ iat: seconds - 60, exp: seconds + 540, iss: appId })}`;
  return `${content}.${createSign("RSA-SHA256").update(content).sign(key, "base64url")}`;
}

/** Throws `forge-credentials-invalid` for a text that is no private RSA key. */
export function readAppKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw forgeCredentialsInvalid("have an app's key that cannot be read: it needs the PEM file that GitHub gave");
  }
  if (key.asymmetricKeyType !== "rsa") throw forgeCredentialsInvalid("have an app's key that is not RSA");
  return key;
}

/** Signs as the app itself: good for finding its installation and for asking for a token. */
export function appAuth(appId: string, key: KeyObject, clock: Clock): ForgeAuth {
  return {
    headers: () => Promise.resolve({ authorization: `Bearer ${appToken(appId, key, clock.now())}` }),
    renew: () => false,
    secrets: () => [],
  };
}

/** The tokens of an installation, each asked for once and kept until shortly before it ends. */
export class InstallationAuth implements ForgeAuth {
  readonly #http: ForgeHttp;
  readonly #clock: Clock;
  readonly #repository: readonly string[];
  #installationId: string | undefined;
  #token: { readonly text: string; readonly endsAt: number } | undefined;
  #asking: Promise<string> | undefined;

  /** `http` sends as the app (`appAuth`). */
  constructor(options: {
    readonly http: ForgeHttp;
    readonly clock: Clock;
    /** Owner and name. */
    readonly repository: readonly string[];
    readonly installationId?: string | undefined;
  }) {
    this.#http = options.http;
    this.#clock = options.clock;
    this.#repository = options.repository;
    this.#installationId = options.installationId;
  }

  async headers(call: Call): Promise<Readonly<Record<string, string>>> {
    const known = this.#token;
    if (known !== undefined && known.endsAt - MARGIN_MS > this.#clock.now()) return bearer(known.text);
    // Whoever comes while somebody asks waits for that answer, unless it fails for reasons of the other.
    if (this.#asking !== undefined) {
      const text = await this.#asking.catch(() => undefined);
      call.signal.throwIfAborted();
      if (text !== undefined) return bearer(text);
    }
    this.#asking = this.#ask(call);
    try {
      return bearer(await this.#asking);
    } finally {
      this.#asking = undefined;
    }
  }

  /** A token may be taken back early; another may be good. */
  renew(): boolean {
    const had = this.#token !== undefined;
    this.#token = undefined;
    return had;
  }

  secrets(): readonly string[] {
    return this.#token === undefined ? [] : [this.#token.text];
  }

  close(): void {
    this.#http.close();
  }

  async #ask(call: Call): Promise<string> {
    const [owner = "", name = ""] = this.#repository;
    if (this.#installationId === undefined) {
      const found = await this.#http.send(
        {
          method: "GET",
          path: path("repos", owner, name, "installation"),
          what: "find the app's installation",
          needs: "the app to be installed for the repository",
        },
        call,
      );
      this.#installationId = found.json.at("id").id();
    }
    const answer = await this.#http.send(
      {
        method: "POST",
        path: path("app", "installations", this.#installationId, "access_tokens"),
        // For this repository alone, whatever else the app is installed for.
        body: { repositories: [name] },
        what: "get a token of the app's installation",
        needs: "the app to be installed for the repository",
        // A token too many ends by itself.
        repeatable: true,
      },
      call,
    );
    const text = answer.json.at("token").text();
    const endsAt = Date.parse(answer.json.at("expires_at").text());
    if (!Number.isFinite(endsAt)) throw answer.bad("the token has no end");
    this.#token = { text, endsAt };
    return text;
  }
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}
