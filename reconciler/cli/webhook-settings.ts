// Where deliveries of webhooks are taken, from the command line: nowhere unless it says so.
import { isIP } from "node:net";
import { resolve } from "node:path";
import type { TlsFiles } from "../pull-requests/webhooks/tls-files.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const WEBHOOK_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "webhook-listen": {
    type: "string",
    value: "[HOST:]PORT",
    help: "take webhooks of Git hosts here, for Reporters (default: not at all; HOST: 127.0.0.1, and 0.0.0.0 for all addresses)",
  },
  "webhook-tls-cert": {
    type: "string",
    value: "FILE",
    help: "certificate of that port in PEM, read again when it changes (default: plain HTTP, for a proxy with TLS in front)",
  },
  "webhook-tls-key": { type: "string", value: "FILE", help: "key of that certificate in PEM" },
};

export interface WebhookSettings {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** What the options say; `undefined` when no webhooks are taken. Throws a usage error. */
export function readWebhookSettings(invocation: Invocation): WebhookSettings | undefined {
  const text = stringOption(invocation, "webhook-listen");
  const [cert, key] = [stringOption(invocation, "webhook-tls-cert"), stringOption(invocation, "webhook-tls-key")];
  if (text === undefined) {
    if (cert !== undefined || key !== undefined)
      throw new UsageError("--webhook-tls-cert and --webhook-tls-key are for --webhook-listen, which is not given");
    return undefined;
  }
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError("--webhook-tls-cert and --webhook-tls-key go together: a certificate and its key");
  const { cwd } = invocation.io;
  const tls =
    cert === undefined || key === undefined ? undefined : { cert: resolve(cwd, cert), key: resolve(cwd, key) };
  return { ...parseListenAddress(text), tls };
}

function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(?:\[([^\]]+)\]|([A-Za-z0-9.-]+)):)?([0-9]{1,5})$/.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const port = Number(digits);
  if (match === null || port > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    const message = `--webhook-listen takes PORT or HOST:PORT such as 9292, 0.0.0.0:9292 or [::]:9292, not "${text}"`;
    throw new UsageError(message);
  }
  return { host: bracketed ?? plain ?? "127.0.0.1", port };
}
