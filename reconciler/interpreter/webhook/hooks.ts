// Which webhook is asked about a kind: the first, by name, of those whose rules match.
import { createHash } from "node:crypto";
import type {
  InterpreterClientConfig,
  ResourceInterpreterWebhookConfiguration,
  RuleWithOperations,
} from "../../../api/config.ts";
import type { GroupVersionKind } from "../../../kube/object.ts";
import type { InterpreterOperation } from "../interpreter.ts";

export interface InterpreterHook {
  readonly configuration: string;
  readonly name: string;
  /** `configuration/name`: what hooks are ordered by, and called in messages. */
  readonly id: string;
  /** Changes with everything that is said of the hook. */
  readonly version: string;
  readonly client: InterpreterClientConfig;
  readonly rules: readonly RuleWithOperations[];
  readonly timeoutMs: number;
}

const ANY = "*";
const DEFAULT_TIMEOUT_SECONDS = 10;
/** The one version of requests that we speak. */
const CONTEXT_VERSION = "v1alpha1";

/** The hooks of all configurations, in the order in which they are asked. */
export class InterpreterHooks {
  readonly #hooks: readonly InterpreterHook[];
  readonly #first = new Map<string, InterpreterHook | undefined>();

  constructor(configurations: Iterable<ResourceInterpreterWebhookConfiguration>) {
    this.#hooks = [...configurations].flatMap(hooksOf).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  get isEmpty(): boolean {
    return this.#hooks.length === 0;
  }

  /** The hook that answers for the kind; undefined when none does. */
  find({ group, version, kind }: GroupVersionKind, operation: InterpreterOperation): InterpreterHook | undefined {
    if (this.#hooks.length === 0) return undefined;
    const key = `${operation} ${group}/${version}/${kind}`;
    if (this.#first.has(key)) return this.#first.get(key);
    const found = this.#hooks.find(({ rules }) =>
      rules.some(
        (rule) =>
          matches(rule.operations, operation) &&
          matches(rule.apiGroups, group) &&
          matches(rule.apiVersions, version) &&
          matches(rule.kinds, kind),
      ),
    );
    this.#first.set(key, found);
    return found;
  }
}

function matches(allowed: readonly string[], value: string): boolean {
  return allowed.some((each) => each === ANY || each === value);
}

function hooksOf({ metadata, webhooks }: ResourceInterpreterWebhookConfiguration): InterpreterHook[] {
  const configuration = metadata.name ?? "";
  return (webhooks ?? [])
    .filter(({ interpreterContextVersions }) => interpreterContextVersions.includes(CONTEXT_VERSION))
    .map((webhook) => {
      const { name, clientConfig, rules = [], timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = webhook;
      return {
        configuration,
        name,
        id: `${configuration}/${name}`,
        version: createHash("sha256").update(JSON.stringify(webhook)).digest("base64"),
        client: clientConfig,
        rules,
        timeoutMs: timeoutSeconds * 1000,
      };
    });
}
