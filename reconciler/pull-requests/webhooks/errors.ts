// Why the port for webhooks cannot be opened.
import { AppError, messageOf } from "../../../runtime/errors.ts";

/** What `listen` failed with; `undefined` for what is none of the known reasons. */
export function webhookPortRefused(error: unknown, where: string): AppError | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const options = { recovery: "stall", cause: error } as const;
  if (code === "EADDRINUSE") {
    const message = `${where} is taken by another program: choose another port for webhooks with --webhook-listen`;
    return new AppError("webhook-port-taken", message, options);
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const message = `cannot listen for webhooks on ${where} (--webhook-listen): ${messageOf(error)}`;
    return new AppError("webhook-port-refused", message, options);
  }
  return undefined;
}

export function webhookTlsUnusable(why: string, cause?: unknown): AppError {
  const message = `webhooks cannot be taken by TLS: ${why} (--webhook-tls-cert, --webhook-tls-key)`;
  return new AppError("webhook-tls-unusable", message, { recovery: "stall", cause });
}
