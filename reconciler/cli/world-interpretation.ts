// What kinds mean in a world that a command looks at: by the rules of its customizations and webhook configurations.
import { dirname } from "node:path";
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { systemClock } from "../../runtime/clock.ts";
import { type Asker, Interpretation, type LevelProvider } from "../controllers/interpretation/interpretation.ts";
import { WebhookAsker } from "../controllers/interpretation/webhooks/webhook-asker.ts";
import { notAsked } from "../interpreter/answers.ts";
import type { Compatibility } from "../interpreter/betterments.ts";
import { compileCustomization } from "../interpreter/customization/compile-customization.ts";
import { CustomizationIndex } from "../interpreter/customization/customization-index.ts";
import { customizationLevel } from "../interpreter/customization/customization-level.ts";
import { COMMAND_LIMITS } from "../interpreter/customization/script-limits.ts";
import { CompiledScripts, inPlaceRunner } from "../interpreter/customization/script-runner.ts";
import { InterpreterHooks } from "../interpreter/webhook/hooks.ts";
import { WEBHOOK_ASKER } from "../interpreter/webhook/question.ts";
import { webhookLevel } from "../interpreter/webhook/webhook-level.ts";
import type { WorldInterpretation } from "../plan/world.ts";
import { booleanOption, type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";
import { findKubeconfig } from "./connect.ts";
import { fetchCompatibility } from "./trace-socket.ts";

export const INTERPRETATION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "ask-webhooks": { type: "boolean", help: "ask interpreter webhooks, from here; else what they decide is not known" },
  compatibility: {
    type: "string",
    value: "MODE",
    help: "rules of the control plane: flaghoist or karmada (default: those of the 'flaghoist up' found here)",
  },
};

/** Runs a command's work with what makes interpretations of worlds for it. */
export async function withInterpreters<T>(
  client: KubeClient,
  invocation: Invocation,
  work: (interpreters: WorldInterpreters) => Promise<T>,
): Promise<T> {
  const interpreters = new WorldInterpreters(client, invocation, await compatibilityOf(invocation));
  try {
    return await work(interpreters);
  } finally {
    interpreters.close();
  }
}

/** Makes interpretations of worlds for one run of a command. */
export class WorldInterpreters {
  readonly #compatibility: Compatibility;
  readonly #asker: WebhookAsker | undefined;
  readonly #scripts = new CompiledScripts(compileCustomization);

  /** Webhooks are asked when the command was told to; their Services are those that `client` knows. */
  constructor(client: KubeClient, invocation: Invocation, compatibility: Compatibility) {
    this.#compatibility = compatibility;
    if (booleanOption(invocation, "ask-webhooks"))
      this.#asker = new WebhookAsker({
        clock: systemClock,
        newUuid: () => crypto.randomUUID(),
        findService: (namespace, name) => client.find({ apiVersion: "v1", kind: "Service", namespace, name }),
      });
  }

  /** Whose rules those are. */
  get compatibility(): Compatibility {
    return this.#compatibility;
  }

  of(world: WorldInterpretation | undefined): Interpretation {
    const hooks = new InterpreterHooks(world?.webhookConfigurations ?? []);
    const webhook: LevelProvider = {
      levelWith: (answers) => (hooks.isEmpty ? undefined : webhookLevel(hooks, answers, this.#compatibility)),
      subscribe: () => {},
      askers: [this.#asker ?? NOBODY],
    };
    const customization = this.#customizationsOf(world?.customizations ?? []);
    return new Interpretation({ compatibility: this.#compatibility, customization, webhook });
  }

  /** A command has nothing else to do, so that scripts run where they are. */
  #customizationsOf(customizations: readonly ResourceInterpreterCustomization[]): LevelProvider | undefined {
    if (customizations.length === 0) return undefined;
    const level = customizationLevel({
      scripts: new CustomizationIndex(customizations),
      runner: inPlaceRunner(this.#scripts, COMMAND_LIMITS, () => systemClock.now()),
      compatibility: this.#compatibility,
    });
    return { levelWith: () => level, subscribe: () => {}, askers: [] };
  }

  close(): void {
    this.#asker?.close();
  }
}

const NOBODY: Asker = {
  name: WEBHOOK_ASKER,
  ask: async (question) => {
    throw notAsked(question, "it was not asked (--ask-webhooks asks it)");
  },
};

/** What the command was told; else what the control plane says that wrote the kubeconfig in use. */
async function compatibilityOf(invocation: Invocation): Promise<Compatibility> {
  const told = stringOption(invocation, "compatibility");
  if (told === undefined) return (await fetchCompatibility(dirname(findKubeconfig(invocation)))) ?? "flaghoist";
  if (told === "karmada" || told === "flaghoist") return told;
  throw new UsageError(`--compatibility is flaghoist or karmada, not ${told}`);
}
