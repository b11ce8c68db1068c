/** What admission knows of a write beside the object. Chance and time come from outside. */
export interface AdmissionContext {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** Namespace the request goes to; empty for kinds without one. */
  readonly requestNamespace: string;
  readonly nowMs: number;
  newUuid(): string;
}
