// Hands traces of the last decisions, as the scheduler saw them, and the control plane's rules to commands on the same
// machine: over a socket in the data folder, which only its owner can reach.
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Compatibility } from "../interpreter/betterments.ts";
import type { DecisionHistory } from "../scheduler/explanation/decision-history.ts";
import { formatTrace } from "../scheduler/explanation/trace-file.ts";
import type { AnyBinding } from "../works/binding.ts";

/** Some systems take no longer names of sockets. */
const MAX_PATH = 100;
const ANSWER_WITHIN_MS = 5_000;
/** Of the object: a binding that was about to be created had none of its own. */
const UID_HEADER = "flaghoist-object-uid";

const COMPATIBILITY_PATH = "/compatibility";

function socketIn(folder: string): string {
  return join(folder, "traces.sock");
}

export interface TraceSocketOptions {
  readonly folder: string;
  readonly decisions: DecisionHistory;
  readonly compatibility: Compatibility;
  readonly logger: Logger;
}

/** Listens in the data folder; undefined where that cannot be. Then traces are made from the records of bindings. */
export async function serveTraces(options: TraceSocketOptions): Promise<{ close(): Promise<void> } | undefined> {
  const { decisions, logger } = options;
  const path = socketIn(options.folder);
  if (path.length > MAX_PATH || process.platform === "win32") return undefined;
  const server = createServer((asked, answer) => {
    if (asked.url === COMPATIBILITY_PATH) {
      answer.writeHead(200, { "content-type": "text/plain" }).end(options.compatibility);
      return;
    }
    const [kind = "", namespace = "", name = ""] = (asked.url ?? "").split("/").slice(1).map(decode);
    const found = decisions.find(kind, namespace === "" ? undefined : namespace, name);
    if (found === undefined) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { "content-type": "application/json", [UID_HEADER]: found.binding.spec.resource.uid ?? "" });
    answer.end(formatTrace(found.decision, found.binding, "fleet"));
  });
  try {
    // One that a process left which was killed.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    logger.debug("traces are not served", { error: messageOf(error) });
    return undefined;
  }
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/**
 * The trace of the binding's last decision from the control plane that has its data in `folder`; undefined when that is
 * not there, has forgotten the decision, or is another one than the binding came from.
 */
export async function fetchTrace(folder: string, binding: AnyBinding): Promise<string | undefined> {
  const { namespace = "", name = "" } = binding.metadata;
  const uid = binding.spec.resource.uid ?? "";
  const path = `/${[binding.kind, namespace, name].map(encodeURIComponent).join("/")}`;
  return ask(folder, path, ({ headers }) => (headers[UID_HEADER] ?? "") === uid);
}

/** The rules of the control plane that has its data in `folder`; undefined when that is not there. */
export async function fetchCompatibility(folder: string): Promise<Compatibility | undefined> {
  const said = await ask(folder, COMPATIBILITY_PATH, () => true);
  return said === "karmada" || said === "flaghoist" ? said : undefined;
}

function ask(
  folder: string,
  path: string,
  isWanted: (answer: IncomingMessage) => boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const nothing = (): void => resolve(undefined);
    const asking = request({ socketPath: socketIn(folder), path, timeout: ANSWER_WITHIN_MS }, (answer) => {
      const isGood = answer.statusCode === 200 && isWanted(answer);
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", nothing);
      answer.on("end", () => resolve(isGood ? Buffer.concat(parts).toString("utf8") : undefined));
    });
    asking.on("timeout", () => asking.destroy());
    asking.on("error", nothing);
    asking.end();
  });
}
