// Runs in a worker thread: renders what the pool sends and asks it for the files it needs.

import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { AppError } from "../runtime/errors.ts";
import type { SourceTree, TreeEntry } from "../sources/tree.ts";
import { RenderCache } from "./kustomize/render-cache.ts";
import { render } from "./render.ts";
import type { RenderReply, RenderRequest, TreeAnswer, TreeQuestion } from "./worker-messages.ts";

/** A tree whose contents the main thread holds. Reading blocks this thread only. */
class RemoteTree implements SourceTree {
  readonly revision: string;
  private readonly port: MessagePort;
  private readonly signal: Int32Array;
  private readonly folders: Map<string, readonly TreeEntry[] | undefined>;
  private readonly files: Map<string, Uint8Array | undefined>;

  constructor(request: RenderRequest) {
    this.revision = request.revision;
    // The port of node:worker_threads arrives as itself; the message's type names the web interface it implements.
    this.port = request.port as unknown as MessagePort;
    this.signal = new Int32Array(request.signal);
    this.folders = new Map(request.folders);
    this.files = new Map(request.files);
  }

  list(path: string): readonly TreeEntry[] | undefined {
    if (!this.folders.has(path)) {
      // The pool answers `list` with entries.
      this.folders.set(path, this.ask({ ask: "list", path }) as readonly TreeEntry[] | undefined);
    }
    return this.folders.get(path);
  }

  read(path: string): Uint8Array | undefined {
    if (!this.files.has(path)) {
      // The pool answers `read` with bytes.
      this.files.set(path, this.ask({ ask: "read", path }) as Uint8Array | undefined);
    }
    return this.files.get(path);
  }

  private ask(question: TreeQuestion): TreeAnswer["value"] {
    this.port.postMessage(question);
    for (;;) {
      Atomics.wait(this.signal, 0, 0);
      Atomics.store(this.signal, 0, 0);
      const received: { message: TreeAnswer } | undefined = receiveMessageOnPort(this.port);
      if (received !== undefined) return received.message.value;
    }
  }
}

function answer(request: RenderRequest, cache: RenderCache): RenderReply {
  try {
    return { type: "done", outcome: render(new RemoteTree(request), request.path, { ...request.options, cache }) };
  } catch (error) {
    if (error instanceof AppError) {
      const details = Object.fromEntries(
        Object.entries(error.details).filter(([, value]) => typeof value !== "object"),
      );
      return { type: "failed", code: error.code, message: error.message, details };
    }
    return { type: "bug", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

if (!isMainThread && parentPort !== null) {
  const pool = parentPort;
  const cache = new RenderCache();
  pool.on("message", (request: RenderRequest) => {
    const reply = answer(request, cache);
    request.port.close();
    pool.postMessage(reply);
  });
}
