// Sees when a planned head is to be compared with another commit: its base branch went on, and took in a part of it.
import type { Reporter } from "../../../api/reporter.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { PullRequest } from "../../forges/forge.ts";
import { keyOf } from "../sync/git-repository.ts";
import { followedBranch, type ReporterForge } from "./open-reporter-forge.ts";
import { comparedRequest, type PlanPlace } from "./plan-job.ts";
import { PlanRuns } from "./plan-runs.ts";

/** A pull request whose plan was published. */
export interface PlannedPull {
  readonly key: string;
  readonly reporter: Reporter;
  readonly opened: ReporterForge;
  readonly pull: PullRequest;
  /** The commit that its head was compared with. */
  readonly base: string | undefined;
}

/** Asks Git only after the branch went on, which is seen by the source that follows it; other branches are not watched. */
export class BaseWatch {
  readonly #place: Pick<PlanPlace, "revisions" | "fetchSlots">;
  readonly #runs: PlanRuns<string>;
  /** The revision of the source that a plan was compared under. */
  readonly #compared = new Map<string, string>();

  /** `wake` is called when it is known whether a base is another one. */
  constructor(place: Pick<PlanPlace, "revisions" | "fetchSlots">, wake: (key: string) => void) {
    this.#place = place;
    this.#runs = new PlanRuns(wake);
  }

  /** A plan begins, with what the branch is now. */
  begin(key: string, opened: ReporterForge): void {
    this.#runs.drop(key);
    const revision = revisionOf(opened);
    if (revision === undefined) this.#compared.delete(key);
    else this.#compared.set(key, revision);
  }

  /** Whether it is known that the head is to be compared with another commit. Begins to find out when it may be. */
  hasMoved({ base, key, opened, pull, reporter }: PlannedPull): boolean {
    const revision = revisionOf(opened);
    if (revision === undefined || followedBranch(opened.repository) !== pull.base.branch) return false;
    const compared = this.#compared.get(key);
    if (compared === undefined) this.#compared.set(key, revision);
    if (compared === undefined || compared === revision) return false;
    const wanted = `${pull.head.sha} ${revision}`;
    const outcome = this.#runs.find(key, wanted);
    if (outcome === undefined) this.#start(key, wanted, reporter, opened, pull);
    if (outcome === undefined || outcome.state === "running") return false;
    this.#runs.drop(key);
    if (outcome.state === "failed" && !(outcome.error instanceof AppError)) throw outcome.error;
    // What cannot be compared stays as it was said; the next revision is another occasion.
    this.#compared.set(key, revision);
    return outcome.state === "done" && outcome.value !== base;
  }

  drop(key: string): void {
    this.#runs.drop(key);
    this.#compared.delete(key);
  }

  keys(): string[] {
    return [...this.#compared.keys(), ...this.#runs.keys()];
  }

  stop(): Promise<void> {
    return this.#runs.stop();
  }

  #start(key: string, wanted: string, reporter: Reporter, opened: ReporterForge, pull: PullRequest): void {
    const { fetchSlots, revisions } = this.#place;
    const owner = keyOf(reporter);
    const request = comparedRequest(owner, opened, pull);
    this.#runs.start(key, wanted, (signal) =>
      fetchSlots.run(owner, signal, async () => {
        const { base, release } = await revisions.fetch(request, { signal });
        release();
        return base;
      }),
    );
  }
}

function revisionOf({ repository }: ReporterForge): string | undefined {
  return repository.status?.artifact?.revision;
}
