// The certificate of the port for webhooks, which others renew while it is in use.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { webhookTlsUnusable } from "./errors.ts";

export interface TlsFiles {
  /** File with the certificate in PEM, and those between it and its authority. */
  readonly cert: string;
  /** File with its key in PEM, without a passphrase. */
  readonly key: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** Secrets that are mounted change by a link, which watches of files do not tell of everywhere: they are read again. */
const LOOK_MS = 30_000;

/** Throws `webhook-tls-unusable` when a file is missing, is none, or they do not belong together. */
export function readTlsFiles(files: TlsFiles): TlsPair {
  const pair = { cert: readPem(files.cert), key: readPem(files.key) };
  const certificate = parsed(files.cert, "certificate", () => new X509Certificate(pair.cert));
  const key = parsed(files.key, "key without a passphrase", () => createPrivateKey(pair.key));
  if (!certificate.checkPrivateKey(key)) throw webhookTlsUnusable(`the key ${files.key} is not that of ${files.cert}`);
  return pair;
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw webhookTlsUnusable(`cannot read ${file}: ${messageOf(error)}`, error);
  }
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    // What the library says could quote the file.
    throw webhookTlsUnusable(`${file} has no ${what} in PEM`, error);
  }
}

export interface TlsFollowerOptions {
  readonly files: TlsFiles;
  /** What is in use. */
  readonly pair: TlsPair;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (pair: TlsPair) => void;
}

/** Tells of another pair once both files are whole and belong together; until then the one in use stays. */
export function followTlsFiles({ files, pair, clock, logger, onChange }: TlsFollowerOptions): { stop(): void } {
  let used = pair;
  let complaint = "";
  let timer: Timer;
  function look(): void {
    timer = clock.after(LOOK_MS, look);
    try {
      const found = readTlsFiles(files);
      complaint = "";
      if (found.cert === used.cert && found.key === used.key) return;
      onChange(found);
      used = found;
      logger.info("took up another certificate for webhooks", { file: files.cert });
    } catch (error) {
      const why = messageOf(error);
      if (why !== complaint) logger.warn("kept the certificate for webhooks that was in use", { error: why });
      complaint = why;
    }
  }
  timer = clock.after(LOOK_MS, look);
  return { stop: () => timer.cancel() };
}
