// Whether the pages of a store's file are whole. SQLite reads every one of them for that, however few are needed
// otherwise: it takes as long as the disk takes for the whole file.
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { messageOf } from "../../../runtime/errors.ts";
import { damaged, isDamage, unusable } from "./errors.ts";

/** Looks at all pages, and answers the first thing that is wrong; throws what SQLite throws. Blocks. */
export function pageProblem(database: DatabaseSync): string | undefined {
  const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  return found === "ok" ? undefined : String(found).replaceAll("\n", "; ");
}

/** As `pageProblem`; throws `store-damaged` for it. */
export function checkPages(database: DatabaseSync, path: string): void {
  const problem = pageProblem(database);
  if (problem !== undefined) throw damaged(path, problem);
}

/** What a thread says that has looked at a file. */
export type IntegrityReply =
  | { readonly type: "whole" }
  /** With what `damaged` is to say. */
  | { readonly type: "damaged"; readonly message: string }
  | { readonly type: "failed"; readonly message: string };

/**
 * Looks at all pages in a thread, beside the connection that is open here; rejects with `store-damaged` or
 * `store-unusable`. `atOnce` does it here when `thread` ends without an answer: nothing goes on without one.
 */
export function checkPagesAside(
  path: string,
  atOnce: () => void,
  thread = new URL("./integrity-thread.ts", import.meta.url),
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(thread, { workerData: path, env: {} });
  let reply: IntegrityReply | undefined;
  // The thread is ours and says nothing else.
  worker.on("message", (message: unknown) => {
    reply = message as IntegrityReply;
  });
  // Its exit follows.
  worker.on("error", () => {});
  worker.on("exit", () => {
    try {
      if (reply === undefined) atOnce();
      else requireWhole(path, reply);
      resolve();
    } catch (error) {
      reject(error);
    }
  });
  // It may fail before whoever reads the file comes to ask.
  promise.catch(() => {});
  return promise;
}

function requireWhole(path: string, reply: IntegrityReply): void {
  if (reply.type === "damaged") throw damaged(path, reply.message);
  if (reply.type === "failed") throw unusable(path, new Error(reply.message));
}

/** What a thread that met `error` says. */
export function failedCheck(error: unknown): IntegrityReply {
  return { type: isDamage(error) ? "damaged" : "failed", message: messageOf(error) };
}
