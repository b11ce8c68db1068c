// Refusals of single fields, in the form of the Kubernetes API and in plain words.

/** One cause of a 422, in the words of the Kubernetes API. */
export interface FieldError {
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueNotSupported"
    | "FieldValueDuplicate"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueTypeInvalid"
    | "InternalError";
  /** Path in the object: `spec.resourceSelectors[0].name`. */
  readonly field: string;
  /** Text after the path: `Invalid value: "x": must be ...`. */
  readonly message: string;
}

/** A field error that also has the bare reason, for texts of our own that already name the field. */
export interface Refusal extends FieldError {
  /** `maxGroups 1 is lower than minGroups 2`. */
  readonly words: string;
}

/** Something legal that surely is not meant. */
export interface FieldWarning {
  /** Path in the object, as of a field error. */
  readonly field: string;
  readonly words: string;
}

export function invalid(field: string, value: unknown, words: string): Refusal {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown(value)}${words}`, words };
}

export function required(field: string, words: string): Refusal {
  return { reason: "FieldValueRequired", field, message: `Required value: ${words}`, words };
}

export function forbidden(field: string, words: string): Refusal {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${words}`, words };
}

export function duplicate(field: string, value: string, words: string): Refusal {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${JSON.stringify(value)}`, words };
}

export function notSupported(field: string, value: string, supported: readonly string[]): Refusal {
  const choices = supported.map((choice) => JSON.stringify(choice)).join(", ");
  return {
    reason: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${choices}`,
    words: `${JSON.stringify(value)} is not one of ${choices}`,
  };
}

/** All refusals in one line, as an admission answer has them. */
export function refusalText(refusals: readonly FieldError[]): string {
  const texts = [...new Set(refusals.map(({ field, message }) => `${field}: ${message}`))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

// Whole objects would bury the reason; their path says which one is meant.
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return "";
  return `${typeof value === "string" ? JSON.stringify(value) : String(value ?? null)}: `;
}
