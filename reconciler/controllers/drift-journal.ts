// What was found changed in the clusters by others, most recent last; bounded, in memory. The lasting record is the
// Event on the template and, while drift stands uncorrected, the Work's condition.
import type { FieldDrift } from "../../fleets/drift.ts";
import type { ObjectRef } from "../../kube/object.ts";

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

  record(finding: DriftFinding): void {
    this.#findings.push(finding);
    if (this.#findings.length > MOST) this.#findings.shift();
    for (const listener of this.#listeners) listener(finding);
  }

  all(): readonly DriftFinding[] {
    return this.#findings;
  }

  subscribe(listener: (finding: DriftFinding) => void): void {
    this.#listeners.push(listener);
  }
}

/** `spec.replicas wanted 2, found 5, by kubectl-scale`: values of Secrets never appear. */
export function describeField(field: FieldDrift, kind: string): string {
  const secret = kind === "Secret" && /^(data|stringData)\b/.test(field.path);
  const show = (value: unknown): string =>
    secret ? "(hidden)" : value === undefined ? "nothing" : JSON.stringify(value);
  const by = field.manager === undefined ? "" : `, by ${field.manager}`;
  return `${field.path} wanted ${show(field.wanted)}, found ${show(field.found)}${by}`;
}
