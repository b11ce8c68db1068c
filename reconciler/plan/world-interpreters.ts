// What kinds mean in a world that is not the running one: by the rules of its customizations and webhook configurations.
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import { systemClock } from "../../runtime/clock.ts";
import { type Asker, Interpretation, type LevelProvider } from "../controllers/interpretation/interpretation.ts";
import type { WebhookAsker } from "../controllers/interpretation/webhooks/webhook-asker.ts";
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
import type { Interpretations } from "./compare-worlds.ts";
import type { WorldInterpretation } from "./world.ts";

/** Makes interpretations of worlds: for one run of a command, or for a server's plans. */
export class WorldInterpreters implements Interpretations {
  readonly #compatibility: Compatibility;
  readonly #asker: Asker & { close?(): void };
  readonly #scripts = new CompiledScripts(compileCustomization);

  /** Without `asker` no webhook is asked, and what webhooks decide is not known, of which it is said why. */
  constructor(compatibility: Compatibility, asker?: WebhookAsker, why = "it was not asked (--ask-webhooks asks it)") {
    this.#compatibility = compatibility;
    this.#asker = asker ?? nobody(why);
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
      askers: [this.#asker],
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
    this.#asker.close?.();
  }
}

function nobody(why: string): Asker {
  return {
    name: WEBHOOK_ASKER,
    ask: async (question) => {
      throw notAsked(question, why);
    },
  };
}
