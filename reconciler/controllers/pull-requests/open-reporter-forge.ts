// From a Reporter to its repository at its host, opened with what its Secrets say at the moment.
import { createHash } from "node:crypto";
import type { GitRepository } from "../../../api/gitops.ts";
import type { Reporter } from "../../../api/reporter.ts";
import { decodeSecret, type SecretData } from "../../../fleets/connect.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { credentialsFromSecret, type GitCredentials } from "../../../sources/git/credentials.ts";
import { forgeCredentialsFromSecret } from "../../forges/credentials-from-secret.ts";
import type { Call, Forge, ForgeKind } from "../../forges/forge.ts";
import { type GitAccess, gitAccessOf } from "../../forges/git-access.ts";
import type { HttpLimits } from "../../forges/http/forge-http.ts";
import { type OpenForgeOptions, openForge } from "../../forges/open-forge.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API, keyOf } from "../sync/git-repository.ts";

/** By what Git reaches the repository that a source follows. */
export interface GitRemote {
  readonly url: string;
  readonly credentials: GitCredentials | undefined;
  readonly timeoutMs: number | undefined;
}

/** A repository at its host. It belongs to whoever opened it: nobody else closes the forge. */
export interface ReporterForge {
  readonly forge: Forge;
  /** The source that follows the repository. */
  readonly repository: GitRepository;
  /** For fetching, with the credentials of the source. */
  readonly remote: GitRemote;
  /** For pushing, with the credentials of the Reporter. Throws what `gitAccessOf` throws. */
  readonly push: (call: Call) => Promise<GitAccess>;
}

export interface ReporterForgesOptions {
  readonly context: Pick<ControllerContext, "client" | "informers">;
  /** What waiting for the host goes by. */
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly limits?: Partial<HttpLimits> | undefined;
}

interface Opened {
  readonly identity: string;
  readonly forge: Forge;
  readonly options: OpenForgeOptions;
}

/** How long a Reporter is left alone when what it names is not there: nobody tells when a Secret comes. */
const MISSING_MS = 30_000;

/**
 * The forges of all Reporters: one each, so that what is known of a host, such as its rate limit, lasts from step to step.
 * It is opened anew when the Secret, the source's address or the Reporter's words on its host are others; requests that
 * are on their way by the former one fail then, and are to be tried again.
 */
export class ReporterForges {
  readonly #options: ReporterForgesOptions;
  readonly #opened = new Map<string, Opened>();

  constructor(options: ReporterForgesOptions) {
    this.#options = options;
  }

  /**
   * Throws `reporter-source-missing` and `reporter-secret-missing`, and what `openForge` and reading the Secret throw of
   * addresses and credentials. Asks the host for nothing.
   */
  async open(reporter: Reporter): Promise<ReporterForge> {
    const repository = this.sourceOf(reporter);
    const { url, secretRef, timeout } = repository.spec;
    const secret = await this.#secret("spec.secretRef", reporter.metadata.namespace, reporter.spec.secretRef.name);
    const own =
      secretRef === undefined
        ? undefined
        : await this.#secret(
            `spec.secretRef of GitRepository ${keyOf(repository)}`,
            repository.metadata.namespace,
            secretRef.name,
          );
    const { forge, options } = this.#open(keyOf(reporter), reporter, url, secret);
    return {
      forge,
      push: (call) => gitAccessOf(options, call),
      repository,
      remote: {
        url,
        credentials: own === undefined ? undefined : credentialsFromSecret(own),
        timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
      },
    };
  }

  /** The source of a Reporter, as it is known at present. Throws `reporter-source-missing`. */
  sourceOf({ metadata, spec }: Reporter): GitRepository {
    const { name, namespace = metadata.namespace } = spec.sourceRef;
    const found = this.#options.context.informers.of<GitRepository>(GITOPS_API, "GitRepository").get(namespace, name);
    if (found !== undefined) return found;
    throw missing("reporter-source-missing", `spec.sourceRef names GitRepository ${namespace}/${name}`);
  }

  /** Ends the connections of a Reporter that is gone; `key` is `namespace/name`. */
  forget(key: string): void {
    this.#opened.get(key)?.forge.close();
    this.#opened.delete(key);
  }

  close(): void {
    for (const key of [...this.#opened.keys()]) this.forget(key);
  }

  #open(key: string, { spec }: Reporter, url: string, secret: SecretData): Opened {
    const { provider, providerUrl, user } = spec;
    const values = Object.entries(secret).map(([name, value]) => [name, value.toString("base64")]);
    const identity = createHash("sha256")
      .update(JSON.stringify([url, provider, providerUrl, user, values.sort()]))
      .digest("hex");
    const known = this.#opened.get(key);
    if (known?.identity === identity) return known;
    const { clock, random, limits } = this.#options;
    const options: OpenForgeOptions = {
      repository: url,
      kind: hostKind(provider),
      baseUrl: providerUrl,
      ...forgeCredentialsFromSecret(secret),
      user: user === undefined ? undefined : { name: user },
      clock,
      random,
      limits,
    };
    const opened = { identity, forge: openForge(options), options };
    this.forget(key);
    this.#opened.set(key, opened);
    return opened;
  }

  async #secret(field: string, namespace: string | undefined, name: string): Promise<SecretData> {
    const found = await this.#options.context.client.find({ apiVersion: "v1", kind: "Secret", namespace, name });
    if (found === undefined) throw missing("reporter-secret-missing", `${field} names Secret ${namespace}/${name}`);
    return decodeSecret(found);
  }
}

/** Forgejo is spoken to as Gitea is. */
export function hostKind(provider: Reporter["spec"]["provider"]): ForgeKind | undefined {
  return provider === "forgejo" ? "gitea" : provider;
}

/** The branch that the source follows. The name of a default branch is known once it was fetched. */
export function followedBranch({ spec, status }: GitRepository): string | undefined {
  const { branch, commit, name, semver, tag } = spec.ref ?? {};
  if (commit !== undefined) return undefined;
  if (name !== undefined) return name.startsWith("refs/heads/") ? name.slice("refs/heads/".length) : undefined;
  if (semver !== undefined || tag !== undefined) return undefined;
  if (branch !== undefined) return branch;
  const revision = status?.artifact?.revision ?? "";
  const at = revision.lastIndexOf("@");
  return at > 0 ? revision.slice(0, at) : undefined;
}

function missing(code: string, what: string): AppError {
  return new AppError(code, `${what}, which does not exist`, { recovery: "wait", afterMs: MISSING_MS });
}
