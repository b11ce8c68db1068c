// What kinds mean in a world that a command looks at, by its options.
import { dirname } from "node:path";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { systemClock } from "../../runtime/clock.ts";
import { WebhookAsker } from "../controllers/interpretation/webhooks/webhook-asker.ts";
import type { Compatibility } from "../interpreter/betterments.ts";
import { WorldInterpreters } from "../plan/world-interpreters.ts";
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
  const compatibility = await compatibilityOf(invocation);
  const interpreters = new WorldInterpreters(compatibility, webhookAsker(client, invocation));
  try {
    return await work(interpreters);
  } finally {
    interpreters.close();
  }
}

/** Asks when the command was told to; Services of webhooks are those that `client` knows. */
function webhookAsker(client: KubeClient, invocation: Invocation): WebhookAsker | undefined {
  if (!booleanOption(invocation, "ask-webhooks")) return undefined;
  return new WebhookAsker({
    clock: systemClock,
    newUuid: () => crypto.randomUUID(),
    findService: (namespace, name) => client.find({ apiVersion: "v1", kind: "Service", namespace, name }),
  });
}

/** What the command was told; else what the control plane says that wrote the kubeconfig in use. */
async function compatibilityOf(invocation: Invocation): Promise<Compatibility> {
  const told = stringOption(invocation, "compatibility");
  if (told === undefined) {
    // A snapshot needs no control plane beside it.
    if (stringOption(invocation, "snapshot") !== undefined && !hasKubeconfig(invocation)) return "flaghoist";
    return (await fetchCompatibility(dirname(findKubeconfig(invocation)))) ?? "flaghoist";
  }
  if (told === "karmada" || told === "flaghoist") return told;
  throw new UsageError(`--compatibility is flaghoist or karmada, not ${told}`);
}

function hasKubeconfig(invocation: Invocation): boolean {
  try {
    findKubeconfig(invocation);
    return true;
  } catch {
    return false;
  }
}
