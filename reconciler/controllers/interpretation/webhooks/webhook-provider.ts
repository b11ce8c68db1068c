// The webhooks that the ResourceInterpreterWebhookConfigurations of the control plane name.
import type { ResourceInterpreterWebhookConfiguration } from "../../../../api/config.ts";
import type { Answers } from "../../../interpreter/answers.ts";
import type { Compatibility } from "../../../interpreter/betterments.ts";
import type { InterpreterLevel } from "../../../interpreter/interpreter.ts";
import { InterpreterHooks } from "../../../interpreter/webhook/hooks.ts";
import { webhookLevel } from "../../../interpreter/webhook/webhook-level.ts";
import type { ControllerContext } from "../../context.ts";
import type { Asker, InterpretationChange, LevelProvider } from "../interpretation.ts";
import { WebhookAsker } from "./webhook-asker.ts";

export const WEBHOOK_CONFIGURATION_KIND = [
  "config.karmada.io/v1alpha1",
  "ResourceInterpreterWebhookConfiguration",
] as const;

/** Follows the configurations. A change concerns the kinds and operations that another webhook answers now. */
export class WebhookProvider implements LevelProvider {
  readonly askers: readonly Asker[];
  readonly #asker: WebhookAsker;
  readonly #compatibility: Compatibility;
  readonly #listeners: ((change: InterpretationChange) => void)[] = [];
  #hooks = new InterpreterHooks([]);

  constructor(context: ControllerContext) {
    const { clock, newUuid, informers } = context;
    this.#compatibility = context.profile.compatibility;
    const findService = async (namespace: string, name: string) => {
      const services = informers.of("v1", "Service");
      await services.synced();
      return services.get(namespace, name);
    };
    this.#asker = new WebhookAsker({ clock, newUuid, findService });
    this.askers = [this.#asker];
    const configurations = informers.of<ResourceInterpreterWebhookConfiguration>(...WEBHOOK_CONFIGURATION_KIND);
    configurations.subscribe(() => {
      const before = this.#hooks;
      const after = new InterpreterHooks(configurations.all());
      this.#hooks = after;
      const change: InterpretationChange = {
        concerns: (gvk, operation) => before.find(gvk, operation)?.version !== after.find(gvk, operation)?.version,
      };
      for (const listener of this.#listeners) listener(change);
    });
  }

  levelWith(answers: Answers): InterpreterLevel | undefined {
    return this.#hooks.isEmpty ? undefined : webhookLevel(this.#hooks, answers, this.#compatibility);
  }

  subscribe(listener: (change: InterpretationChange) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#asker.close();
  }
}
