import { AppError } from "../../runtime/errors.ts";
import { describeManager, identityOf, type ManagerEntry } from "./managers.ts";
import { type FieldPath, formatPath } from "./path.ts";

/** A field that the applied configuration would change and another manager owns. */
export interface ApplyConflict {
  readonly owner: ManagerEntry;
  readonly path: FieldPath;
  /** The path as messages print it: `.spec.replicas`. */
  readonly field: string;
  /** `conflict with "kubectl" using apps/v1` */
  readonly message: string;
}

export function applyConflict(owner: ManagerEntry, path: FieldPath): ApplyConflict {
  return { owner, path, field: formatPath(path), message: `conflict with ${describeManager(owner)}` };
}

/** An apply without force would take fields from other managers. The message is the server's. */
export class ApplyConflictError extends AppError {
  readonly conflicts: readonly ApplyConflict[];

  constructor(conflicts: readonly ApplyConflict[]) {
    super("apply-conflict", conflictMessage(conflicts), { recovery: "stall" });
    this.name = "ApplyConflictError";
    this.conflicts = conflicts;
  }
}

function conflictMessage(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: ${first.message}: ${first.field}`;
  }
  const byOwner = new Map<string, ApplyConflict[]>();
  for (const conflict of conflicts) {
    const identity = identityOf(conflict.owner);
    const list = byOwner.get(identity);
    if (list === undefined) byOwner.set(identity, [conflict]);
    else list.push(conflict);
  }
  const lines: string[] = [];
  for (const identity of [...byOwner.keys()].sort()) {
    const list = byOwner.get(identity) ?? [];
    const owner = list[0]?.owner;
    if (owner === undefined) continue;
    lines.push(`conflicts with ${describeManager(owner)}:`, ...list.map(({ field }) => `- ${field}`));
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

/** The object does not fit its type model. The API server answers 500 with this message and no reason. */
export function typedObjectInvalid(message: string): AppError {
  return new AppError("typed-object-invalid", message, { recovery: "stall" });
}

/** A mistake in the apply request itself, which the API server answers with 400. */
export function applyRequestInvalid(message: string): AppError {
  return new AppError("apply-request-invalid", message, { recovery: "stall" });
}
