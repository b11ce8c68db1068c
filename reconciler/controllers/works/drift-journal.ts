// What was found changed in the clusters by others. The last findings are kept in memory, for whoever listens; what stands,
// because it is only told of, is kept on the Works (`works/drift-record.ts`), and what was undone in Events.
import type { FieldDrift } from "../../../fleets/drift.ts";
import { equalJson, type ObjectRef, refKey } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { isSecretField, type StandingField, shownValue, updateStanding } from "../../works/drift-record.ts";

export interface DriftFinding {
  readonly cluster: string;
  readonly object: ObjectRef;
  /** UID of the template that the copy is of, as the copy remembers it. */
  readonly templateUid?: string | undefined;
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
  readonly #standing = new Map<string, Map<string, readonly StandingField[]>>();

  record(finding: DriftFinding): void {
    if (finding.corrected) this.#tell(finding);
    else if (this.#stand(finding)) this.#tell(finding);
  }

  /** There is no drift at present that is let be. */
  settle(cluster: string, object: ObjectRef): void {
    const inCluster = this.#standing.get(cluster);
    inCluster?.delete(refKey(object));
    if (inCluster?.size === 0) this.#standing.delete(cluster);
  }

  /** What a former process found standing and kept: known before the copy is looked at for the first time. */
  remember(cluster: string, object: ObjectRef, fields: readonly StandingField[]): void {
    if (fields.length > 0 && this.standing(cluster, object).length === 0)
      this.#inCluster(cluster).set(refKey(object), fields);
  }

  /** The fields of a copy that are let be although they are not as wanted. */
  standing(cluster: string, object: ObjectRef): readonly StandingField[] {
    return this.#standing.get(cluster)?.get(refKey(object)) ?? [];
  }

  /** Everything that stands, by cluster. */
  *allStanding(): Iterable<readonly [cluster: string, fields: readonly StandingField[]]> {
    for (const [cluster, copies] of this.#standing) yield [cluster, [...copies.values()].flat()];
  }

  all(): readonly DriftFinding[] {
    return this.#findings;
  }

  subscribe(listener: (finding: DriftFinding) => void): void {
    this.#listeners.push(listener);
  }

  #inCluster(cluster: string): Map<string, readonly StandingField[]> {
    const known = this.#standing.get(cluster) ?? new Map<string, readonly StandingField[]>();
    this.#standing.set(cluster, known);
    return known;
  }

  /** Answers whether this is news. */
  #stand({ cluster, object, fields, foundAt }: DriftFinding): boolean {
    const before = this.standing(cluster, object);
    const key = refKey(object);
    const seen = fields.map(({ path, wanted, found, manager }) => {
      const secret = isSecretField(object.kind, path);
      return {
        object: key,
        path,
        wanted: shownValue(wanted, secret),
        found: shownValue(found, secret),
        ...(manager === undefined ? {} : { manager }),
      };
    });
    const now = updateStanding(before, seen, rfc3339(foundAt));
    if (equalJson(before, now)) return false;
    this.#inCluster(cluster).set(key, now);
    return true;
  }

  #tell(finding: DriftFinding): void {
    this.#findings.push(finding);
    if (this.#findings.length > MOST) this.#findings.shift();
    for (const listener of this.#listeners) listener(finding);
  }
}

/** `spec.replicas wanted 2, found 5, by kubectl-scale`: values of Secrets never appear. */
export function describeField(field: FieldDrift, kind: string): string {
  const secret = isSecretField(kind, field.path);
  // Of a Secret not even that there is nothing.
  const show = (value: unknown): string => (secret ? "(hidden)" : (shownValue(value, false) ?? "nothing"));
  const by = field.manager === undefined ? "" : `, by ${field.manager}`;
  return `${field.path} wanted ${show(field.wanted)}, found ${show(field.found)}${by}`;
}
