// What Reporters have said, written so that the steps of many pull requests do not undo one another's words.
import type { ReportedPullRequest, Reporter, ReporterStatus } from "../../../api/reporter.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson } from "../../../kube/object.ts";
import type { ControllerContext } from "../context.ts";
import { GITOPS_API, splitKey } from "../sync/git-repository.ts";

/** Syncs whose digests are kept of a pull request: a status has to fit into its object. */
export const MOST_SYNCS = 100;
/** Pull requests that are remembered; of those that are open longest nothing is known then, and they are left alone. */
export const MOST_PULL_REQUESTS = 200;

/** The change of a status; undefined: none. */
export type StatusChange = (reporter: Reporter) => Partial<ReporterStatus> | undefined;

/** One writer of the statuses of all Reporters: a change is made to what the one before has left. */
export class ReporterStatuses {
  readonly #context: Pick<ControllerContext, "client" | "informers">;
  readonly #last = new Map<string, Promise<void>>();

  constructor(context: Pick<ControllerContext, "client" | "informers">) {
    this.#context = context;
  }

  get(key: string): Reporter | undefined {
    return this.#context.informers.of<Reporter>(GITOPS_API, "Reporter").get(...splitKey(key));
  }

  /** Writes what differs; nothing when the Reporter is gone. */
  async change(key: string, change: StatusChange): Promise<void> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const write = before.then(() => this.#write(key, change));
    // The next one goes on whatever becomes of this one.
    const settled = write.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      await write;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  /** Changes what is remembered of one pull request; undefined takes it out. */
  changePull(
    key: string,
    number: number,
    change: (remembered: ReportedPullRequest | undefined) => ReportedPullRequest | undefined,
  ): Promise<void> {
    return this.change(key, ({ status }) => {
      const all = status?.pullRequests ?? [];
      const next = change(all.find((one) => one.number === number));
      const others = all.filter((one) => one.number !== number);
      return { pullRequests: inOrder(next === undefined ? others : [...others, next]) };
    });
  }

  async #write(key: string, change: StatusChange): Promise<void> {
    const reporter = this.get(key);
    if (reporter === undefined) return;
    const changes = change(reporter);
    if (changes === undefined) return;
    const status = { ...reporter.status, ...changes };
    if (equalJson(reporter.status ?? {}, status)) return;
    const { name = "", namespace } = reporter.metadata;
    const ref = { apiVersion: GITOPS_API, kind: "Reporter", namespace, name };
    try {
      const written = await this.#context.client.patch<Reporter>(ref, { status: changes }, "merge", {
        subresource: "status",
      });
      this.#context.informers.of<Reporter>(GITOPS_API, "Reporter").adopt(written);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Newest first, as many as are remembered. */
function inOrder(pulls: readonly ReportedPullRequest[]): ReportedPullRequest[] {
  return pulls.toSorted((a, b) => b.number - a.number).slice(0, MOST_PULL_REQUESTS);
}
