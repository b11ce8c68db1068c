// Changes about drift that somebody asked for in a pull request: what clusters have now, as a pull request of its own.
import type { Cluster } from "../../../api/cluster.ts";
import type { Sync } from "../../../api/gitops.ts";
import type { Reporter } from "../../../api/reporter.ts";
import { findKind } from "../../../kube/client/find-kind.ts";
import { equalJson, type KubeObject, type ObjectRef, refKey } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { RepositoryPool } from "../../../sources/git/pool.ts";
import { compareLiveCopies } from "../../cli/live-copies.ts";
import type { Call } from "../../forges/forge.ts";
import { RUN_MASK } from "../../plan/diff/mask.ts";
import type { CopyState } from "../../plan/live-drift.ts";
import type { NamedObject } from "../../pull-requests/commands/parse-commands.ts";
import type { Refusal } from "../../pull-requests/drift-changes/adopt-drift.ts";
import type { FileChange } from "../../pull-requests/drift-changes/change-thread.ts";
import {
  type ChangeWords,
  changeBody,
  changeTitle,
  commitMessage,
} from "../../pull-requests/drift-changes/change-words.ts";
import { type DriftedObject, driftedObjectOf } from "../../pull-requests/drift-changes/drifted-object.ts";
import { type OpenedChange, openChange } from "../../pull-requests/drift-changes/open-change.ts";
import { workOutChange } from "../../pull-requests/drift-changes/work-out-change.ts";
import { objectName } from "../../reports/words.ts";
import { CLUSTER_API } from "../clusters/cluster-object.ts";
import type { ControllerContext } from "../context.ts";
import type { Interpretation } from "../interpretation/interpretation.ts";
import { GITOPS_API, keyOf } from "../sync/git-repository.ts";
import { collectDrift, type SyncsOfSource, syncsOfSource } from "./collect-drift.ts";
import { hidesLiveValues } from "./drift-reports.ts";
import type { ReporterForge } from "./open-reporter-forge.ts";

export interface DriftChangesOptions {
  readonly context: Pick<ControllerContext, "client" | "informers" | "clock">;
  readonly interpretation: Interpretation;
  /** Folder of caches that nothing else is in. */
  readonly root: string;
  readonly allowLocal: boolean;
}

export interface DriftChangeRequest {
  readonly reporter: Reporter;
  readonly opened: ReporterForge;
  readonly action: "adopt" | "ignore";
  /** Absent: everything that is known to have drifted. */
  readonly object: NamedObject | undefined;
  /** As reports of drift write it. */
  readonly field: string | undefined;
  readonly clusters: readonly string[] | undefined;
  readonly requestedBy: string;
  /** Where it was asked for. */
  readonly pullRequest: number;
  /** Base of that, for sources that follow no branch. */
  readonly baseBranch: string;
}

/** More at once is nothing that a person reads. */
const MOST_OBJECTS = 20;

interface ConcernedObject {
  readonly object: DriftedObject;
  readonly sync: Sync;
  /** Fields that are left out beforehand. */
  readonly refused: readonly Refusal[];
}

/** One change of a Reporter at a time. */
export class DriftChanges {
  readonly #options: DriftChangesOptions;
  readonly #pool: RepositoryPool;
  readonly #last = new Map<string, Promise<unknown>>();

  /** Removes what an earlier process left in `root`. */
  constructor(options: DriftChangesOptions) {
    this.#options = options;
    const { root, allowLocal } = options;
    this.#pool = new RepositoryPool({ root, allowLocal });
    this.#pool.sweep([]);
  }

  /**
   * Opens the pull request, or finds the one that is open. Errors of recovery `stall` are for whoever asked: their messages
   * say why there is none, and what to do. Throws as well what clusters, Git and the host throw.
   */
  async open(request: DriftChangeRequest, call: Call): Promise<OpenedChange> {
    const key = keyOf(request.reporter);
    const before = this.#last.get(key) ?? Promise.resolve();
    const now = before.then(() => this.#open(key, request, call)).catch(tellable);
    const settled = now.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await now;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  close(): void {
    this.#pool.close();
  }

  async #open(key: string, request: DriftChangeRequest, call: Call): Promise<OpenedChange> {
    call.signal.throwIfAborted();
    const { action, opened, pullRequest, reporter, requestedBy } = request;
    const { forge, push, remote, repository: source } = opened;
    if (action === "adopt" && hidesLiveValues(reporter))
      throw refusal(
        "drift-values-hidden",
        `Reporter ${key} hides what clusters have (liveValues), and a pull request would show it: run flaghoist drift adopt in a checkout`,
      );
    const concerned = await this.#concerned(request, call);
    const repository = this.#pool.open(key, remote);
    try {
      const baseBranch = source.spec.ref?.branch ?? request.baseBranch;
      const base = await repository.fetchRevision({ branch: baseBranch }, call);
      const worked = await workOutChange(
        {
          tree: base.tree.location,
          ignore: source.spec.ignore,
          action,
          drifted: concerned.map(({ object, sync }) => ({ object, sync })),
          where: `branch ${baseBranch} of ${forge.repository}`,
        },
        { clock: this.#options.context.clock, signal: call.signal },
      );
      const early = concerned.flatMap(({ refused }, index) => refused.map((one) => ({ ...one, index })));
      const change: FileChange = { ...worked, refused: [...early, ...worked.refused] };
      const drifted = concerned.map(({ object }) => object);
      if (change.files.length === 0) throw nothingChanges(drifted, change);
      const words: ChangeWords = { action, drifted, change, requestedBy, pullRequest };
      const [first] = drifted;
      return await openChange(
        { forge, repository, push, clock: this.#options.context.clock },
        {
          files: new Map(change.files),
          base,
          baseBranch,
          stem: `${action} ${drifted.length === 1 ? (first?.object.name ?? "") : `${drifted.length} objects`}`,
          title: changeTitle(words),
          body: changeBody(words, forge.kind),
          message: commitMessage(words),
        },
        call,
      );
    } finally {
      this.#pool.forget(key);
    }
  }

  /** What of the wanted objects differs now. */
  async #concerned(request: DriftChangeRequest, { signal }: Call): Promise<ConcernedObject[]> {
    const { action, field, opened, clusters: names } = request;
    const { client, informers } = this.#options.context;
    const syncs = syncsOfSource(informers.of<Sync>(GITOPS_API, "Sync").all(), keyOf(opened.repository));
    const wanted =
      request.object === undefined ? await this.#known(request) : [await this.#named(request.object, syncs)];
    const keys = new Set(wanted.map(refKey));
    const clusters = [...informers.of<Cluster>(CLUSTER_API, "Cluster").all()];
    const unknown = names?.find((name) => !clusters.some(({ metadata }) => metadata.name === name));
    if (unknown !== undefined) throw refusal("cluster-unknown", `there is no cluster ${unknown}`);
    const { copies, unreachable } = await compareLiveCopies(
      client,
      clusters.filter(({ metadata }) => names === undefined || names.includes(metadata.name ?? "")),
      { interpretation: this.#options.interpretation, wants: (object) => keys.has(refKey(object)), signal },
    );
    const [silent] = unreachable;
    if (copies.length === 0 && silent !== undefined)
      throw refusal("cluster-unreachable", `cluster ${silent.cluster} could not be asked: ${silent.reason}`);
    const concerned: ConcernedObject[] = [];
    for (const ref of wanted) {
      const sync = syncs.of(ref);
      const template = await client.find(ref, signal);
      const own = copies.filter(({ object }) => refKey(object) === refKey(ref));
      if (sync === undefined || template === undefined) continue;
      if (wanted.length > 1 && !own.some(hasDrifted)) continue;
      concerned.push(concernedOf(ref, template, { sync, copies: own, field, action }));
    }
    if (concerned.length > 0) return concerned;
    throw refusal("no-drift", "nothing that this repository applies differs from what is wanted");
  }

  /** Everything that is recorded as drifted. */
  async #known({ opened }: DriftChangeRequest): Promise<ObjectRef[]> {
    const source = { source: opened.repository, seenUntilMs: Number.POSITIVE_INFINITY, hideLive: true };
    const { report } = await collectDrift(this.#options.context, source);
    const found = new Map(report.copies.filter(hasDrifted).map(({ object }) => [refKey(object), object]));
    if (found.size > MOST_OBJECTS)
      throw refusal("drift-too-much", `${found.size} objects have drifted: name one of them, as KIND/NAME`);
    return [...found.values()];
  }

  /** The object of that name that comes from the repository. */
  async #named({ kind, name, namespace }: NamedObject, syncs: SyncsOfSource): Promise<ObjectRef> {
    const info = findKind(await this.#options.context.client.mapper.all(), kind);
    if (info === undefined) throw refusal("api-kind-unknown", `there is no kind ${kind}`);
    const named = syncs.find({ group: info.group, kind: info.kind, name });
    const found = named.filter((ref) => namespace === undefined || (ref.namespace ?? "") === namespace);
    const [first, second] = found;
    const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
    if (first === undefined)
      throw refusal("not-from-git", `no Sync of this repository applies ${info.kind} ${name}${where}`);
    if (second !== undefined)
      throw refusal(
        "object-ambiguous",
        `there is ${info.kind} ${name} in several namespaces (${found.map((ref) => ref.namespace).join(", ")}): add -n NAMESPACE`,
      );
    return first;
  }
}

/** What a person has to mend somewhere else is told to the person who asked, instead of being tried again until it is. */
function tellable(error: unknown): never {
  if (error instanceof AppError && error.recovery === "wait" && FOR_A_PERSON.test(error.code))
    throw new AppError(error.code, error.message, { recovery: "stall", cause: error });
  throw error;
}

const FOR_A_PERSON =
  /^(?:forge-(?:forbidden|not-found)|git-(?:auth-failed|repository-not-found|ref-not-found|empty-repository|invalid-repository))$/;

function concernedOf(
  ref: ObjectRef,
  template: KubeObject,
  options: {
    readonly sync: Sync;
    readonly copies: readonly CopyState[];
    readonly field: string | undefined;
    readonly action: "adopt" | "ignore";
  },
): ConcernedObject {
  const { action, copies, field, sync } = options;
  const object = driftedObjectOf(ref, template, copies, field);
  if (action === "ignore") return { object, sync, refused: [] };
  const isCredential = ({ fieldPath, values }: DriftedObject["fields"][number]): boolean =>
    values
      .flatMap(({ wanted, found }) => [wanted, found])
      .some((value) => !equalJson(RUN_MASK.atFields(ref.kind, fieldPath, value) ?? null, value ?? null));
  const refused = object.fields
    .filter(isCredential)
    .map(({ path }) => ({ path, reason: "it may hold a credential: change it where that is kept" }));
  return { object: { ...object, fields: object.fields.filter((one) => !isCredential(one)) }, sync, refused };
}

function hasDrifted({ state, fields }: CopyState): boolean {
  return state === "drifted" && fields.length > 0;
}

function nothingChanges(drifted: readonly DriftedObject[], { refused }: FileChange): AppError {
  const reasons = refused.slice(0, 5).map(({ index, path, reason }) => {
    const object = drifted[index]?.object;
    return `${path}${drifted.length === 1 || object === undefined ? "" : ` of ${objectName(object)}`}: ${reason}`;
  });
  const more = refused.length > reasons.length ? `; and ${refused.length - reasons.length} more` : "";
  return refusal("drift-not-changed", `nothing in Git would change: ${reasons.join("; ")}${more}`);
}

/** For whoever asked. */
function refusal(code: string, message: string): AppError {
  return new AppError(code, message, { recovery: "stall" });
}
