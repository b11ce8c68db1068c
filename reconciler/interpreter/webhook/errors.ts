import { AppError } from "../../../runtime/errors.ts";
import type { InterpreterHook } from "./hooks.ts";

/**
 * A webhook was not reached, refused, or did not answer as it must. There is no failure policy: the operation fails, and is
 * tried again. The words are Karmada's.
 */
export function webhookFailed(hook: InterpreterHook, why: string, cause?: unknown): AppError {
  return new AppError("interpreter-webhook-failed", `failed calling webhook ${JSON.stringify(hook.id)}: ${why}`, {
    recovery: "retry",
    details: { configuration: hook.configuration, webhook: hook.name },
    cause,
  });
}
