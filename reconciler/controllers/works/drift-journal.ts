// What was found changed in the clusters by others, most recent last; bounded, in memory. The lasting record is the
// Event on the template and, while drift stands uncorrected, the Work's condition.
import type { FieldDrift } from "../../../fleets/drift.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { equalJson, type ObjectRef, refKey } from "../../../kube/object.ts";

export interface DriftFinding {
  readonly cluster: string;
  readonly object: ObjectRef;
  readonly fields: readonly FieldDrift[];
  /** Milliseconds since the epoch. */
  readonly foundAt: number;
  /** False while drift is only reported. */
  readonly corrected: boolean;
}

const MOST = 1_000;

export class DriftJournal {
  readonly #findings: DriftFinding[] = [];
  readonly #listeners: ((finding: DriftFinding) => void)[] = [];
  /** Drift that is only reported stands until somebody undoes it: told of once, not at each look. */
  readonly #standing = new Map<string, readonly FieldDrift[]>();

  record(finding: DriftFinding): void {
    const key = keyOf(finding.cluster, finding.object);
    if (finding.corrected) this.#standing.delete(key);
    else if (equalJson(this.#standing.get(key), finding.fields)) return;
    else this.#standing.set(key, finding.fields);
    this.#findings.push(finding);
    if (this.#findings.length > MOST) this.#findings.shift();
    for (const listener of this.#listeners) listener(finding);
  }

  /** There is no drift at present. */
  settle(cluster: string, object: ObjectRef): void {
    this.#standing.delete(keyOf(cluster, object));
  }

  all(): readonly DriftFinding[] {
    return this.#findings;
  }

  subscribe(listener: (finding: DriftFinding) => void): void {
    this.#listeners.push(listener);
  }
}

function keyOf(cluster: string, object: ObjectRef): string {
  return `${cluster}/${refKey(object)}`;
}

/** What of a Secret may be shown. Annotations may hold a copy of the data, as kubectl's do. */
const PUBLIC_IN_SECRETS = /^(type|immutable|metadata\.labels\b.*|\(whole object\))$/;

/** `spec.replicas wanted 2, found 5, by kubectl-scale`: values of Secrets never appear. */
export function describeField(field: FieldDrift, kind: string): string {
  const secret = kind === "Secret" && !PUBLIC_IN_SECRETS.test(field.path);
  const show = (value: unknown): string =>
    secret ? "(hidden)" : value === undefined ? "nothing" : stringifyJson(value);
  const by = field.manager === undefined ? "" : `, by ${field.manager}`;
  return `${field.path} wanted ${show(field.wanted)}, found ${show(field.found)}${by}`;
}
