// A stage in the life of an object, in the style of kwok.

interface StageExpression {
  /** A JSONPath into the object. */
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[] | undefined;
}

interface StageSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchAnnotations?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly StageExpression[] | undefined;
}

/** What becomes of an object. */
export interface StageNext {
  /** Its kubelet decides. */
  readonly kubelet?: "run" | "heartbeat" | undefined;
  /** A template: see `renderTemplate`. */
  readonly statusPatch?: Readonly<Record<string, unknown>> | undefined;
  readonly finalizers?:
    | {
        readonly add?: readonly { readonly value: string }[] | undefined;
        readonly remove?: readonly { readonly value: string }[] | undefined;
        readonly empty?: boolean | undefined;
      }
    | undefined;
  readonly event?:
    | { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string }
    | undefined;
  readonly delete?: boolean | undefined;
}

export interface Stage {
  readonly name: string;
  readonly resourceRef: { readonly apiGroup: string; readonly kind: string };
  readonly selector: StageSelector;
  readonly weight: number;
  /** Chosen evenly between both; the second counts only when it is longer. */
  readonly delay?: { readonly durationMs: number; readonly jitterDurationMs?: number | undefined } | undefined;
  readonly next: StageNext;
}

/** What every cluster begins with. A scenario's stage of the same name stands in place of one. */
const SHIPPED_STAGES: readonly Stage[] = [
  {
    name: "pod-run",
    resourceRef: { apiGroup: "v1", kind: "Pod" },
    selector: { matchExpressions: [{ key: ".spec.nodeName", operator: "Exists" }] },
    weight: 0,
    next: { kubelet: "run" },
  },
  {
    name: "node-heartbeat",
    resourceRef: { apiGroup: "v1", kind: "Node" },
    selector: {},
    weight: 0,
    next: { kubelet: "heartbeat" },
  },
];

/** A scenario's stages with the shipped ones that they do not replace; the scenario's come first. */
export function allStages(ofScenario: readonly Stage[]): readonly Stage[] {
  const replaced = new Set(ofScenario.map(({ name }) => name));
  return [...ofScenario, ...SHIPPED_STAGES.filter(({ name }) => !replaced.has(name))];
}
