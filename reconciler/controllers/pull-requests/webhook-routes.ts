// Which Reporter takes the deliveries of a path, who is believed there, and what a delivery is a reason for.
import type { GitRepository } from "../../../api/gitops.ts";
import type { Reporter } from "../../../api/reporter.ts";
import { decodeSecret } from "../../../fleets/connect.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type RepositoryAddress, repositoryAddress } from "../../forges/repository-address.ts";
import type { WebhookEvent } from "../../forges/webhooks/webhook-event.ts";
import { type WebhookRoute, webhookPath } from "../../pull-requests/webhook-listener.ts";
import { type ConcernedSource, isConcerned } from "../../pull-requests/webhooks/is-concerned.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API, keyOf } from "../sync/git-repository.ts";
import { hostKind, type ReporterForges } from "./open-reporter-forge.ts";
import type { PullRequestController } from "./pull-requests.ts";

export interface WebhookRoutesOptions {
  readonly context: Pick<ControllerContext, "client" | "informers">;
  readonly forges: Pick<ReporterForges, "sourceOf">;
  readonly pulls: Pick<PullRequestController, "wake" | "poll">;
  /** Fetches a GitRepository now. */
  readonly fetchNow: (key: string) => void;
}

/** What a listener of webhooks asks. */
export interface WebhookRoutes {
  /** Undefined: nothing is taken there. */
  find(path: string): WebhookRoute | undefined;
  /** Looks where something may have changed; what the event says is not believed. */
  onEvent(path: string, event: WebhookEvent): void;
}

/** Routes of all Reporters that want webhooks. */
export function createWebhookRoutes({ context, forges, pulls, fetchNow }: WebhookRoutesOptions): WebhookRoutes {
  const reporters = context.informers.of<Reporter>(GITOPS_API, "Reporter");
  const repositories = context.informers.of<GitRepository>(GITOPS_API, "GitRepository");

  function at(path: string): Reporter | undefined {
    const [, , namespace = "", name = ""] = path.split("/");
    const reporter = reporters.get(namespace, name);
    const isWanted = reporter?.spec.webhook !== undefined && reporter.metadata.deletionTimestamp === undefined;
    return isWanted && webhookPath(namespace, name) === path ? reporter : undefined;
  }

  /** Undefined where it is not known; the Reporter's conditions tell of it. */
  function placeOf(reporter: Reporter): (ConcernedSource & { readonly address: RepositoryAddress }) | undefined {
    const { provider, providerUrl: baseUrl } = reporter.spec;
    const kind = hostKind(provider);
    try {
      const { url } = forges.sourceOf(reporter).spec;
      return { url, kind, baseUrl, address: repositoryAddress(url, { kind, baseUrl }) };
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  async function secretsOf({ metadata, spec }: Reporter): Promise<readonly string[]> {
    if (spec.webhook === undefined) return [];
    const { namespace } = metadata;
    const secret = await context.client.find({
      apiVersion: "v1",
      kind: "Secret",
      namespace,
      name: spec.webhook.secretRef.name,
    });
    if (secret === undefined) return [];
    const { token, previousToken } = decodeSecret(secret);
    return [token, previousToken].flatMap((value) => (value === undefined ? [] : [value.toString("utf8")]));
  }

  return {
    find: (path) => {
      const reporter = at(path);
      if (reporter === undefined) return undefined;
      const place = placeOf(reporter);
      if (place === undefined) return undefined;
      const { kind, path: repository } = place.address;
      return { kind, repository: repository.join("/"), secrets: () => secretsOf(reporter) };
    },
    onEvent: (path, event) => {
      const reporter = at(path);
      if (reporter === undefined || event.type === "ping") return;
      if (event.type !== "push") {
        pulls.wake(keyOf(reporter), event.number);
        return;
      }
      const source = placeOf(reporter);
      if (source === undefined) return;
      for (const repository of repositories.all())
        if (isConcerned(event, repository, source)) fetchNow(keyOf(repository));
    },
  };
}
