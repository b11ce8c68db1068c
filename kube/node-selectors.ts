// Which nodes a pod may run on, by its node selector and its required node affinity.
import { AppError } from "../runtime/errors.ts";
import { checkedRequirement, type LabelOperator, type LabelRequirement, matchesRequirements } from "./selectors.ts";

export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

export interface NodeTerm {
  readonly matchExpressions?: readonly NodeRequirement[] | undefined;
  readonly matchFields?: readonly NodeRequirement[] | undefined;
}

/** What selectors look at. */
export interface SelectableNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NodeChoice {
  /** Labels that the node must have, each with this value. */
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  /** Required node affinity: one of the terms must hold. */
  readonly affinity?: { readonly nodeSelectorTerms: readonly NodeTerm[] } | undefined;
}

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

interface Term {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly { readonly key: string; readonly value: string; readonly equal: boolean }[];
}

/**
 * A test for nodes; undefined when every node will do. A term that is empty or makes no sense matches nothing, as in
 * Kubernetes' scheduler; so does an affinity without terms.
 */
export function compileNodeChoice(choice: NodeChoice): ((node: SelectableNode) => boolean) | undefined {
  const wanted = Object.entries(choice.nodeSelector ?? {});
  const terms = choice.affinity?.nodeSelectorTerms.flatMap((term) => readTerm(term) ?? []);
  if (wanted.length === 0 && terms === undefined) return undefined;
  return (node) =>
    wanted.every(([key, value]) => Object.hasOwn(node.labels, key) && node.labels[key] === value) &&
    (terms === undefined || terms.some((term) => matches(term, node)));
}

function readTerm(term: NodeTerm): Term | undefined {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return undefined;
  try {
    return { labels: expressions.map(readExpression), fields: fields.map(readField) };
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function readExpression({ key, operator, values }: NodeRequirement): LabelRequirement {
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (known === undefined) throw invalid(`there is no operator "${operator}"`);
  return checkedRequirement(key, known, values ?? [], "key", "values");
}

function readField({ key, operator, values }: NodeRequirement): Term["fields"][number] {
  const [value, ...more] = values ?? [];
  if (value === undefined || more.length > 0 || (operator !== "In" && operator !== "NotIn"))
    throw invalid("a field must be In or NotIn one value");
  return { key, value, equal: operator === "In" };
}

function invalid(message: string): AppError {
  return new AppError("selector-invalid", message, { recovery: "stall" });
}

function matches(term: Term, node: SelectableNode): boolean {
  if (!matchesRequirements(term.labels, node.labels)) return false;
  // Nodes have this one field; any other is empty.
  return term.fields.every(({ key, value, equal }) => ((key === "metadata.name" ? node.name : "") === value) === equal);
}
