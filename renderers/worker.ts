// Runs in a worker thread: renders what the pool sends and asks it for the files it needs.

import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { AppError } from "../runtime/errors.ts";
import type { SourceTree, TreeEntry } from "../sources/tree.ts";
import type { ChartFiles, ChartInflation, ChartInflator, ChartPull } from "./kustomize/helm-charts.ts";
import { RenderCache } from "./kustomize/render-cache.ts";
import { render } from "./render.ts";
import {
  type ChartAnswer,
  type ChartQuestion,
  fromFailedReply,
  type RenderReply,
  type RenderRequest,
  type TreeAnswer,
  type TreeQuestion,
  toFailedReply,
} from "./worker-messages.ts";

/** Asks the main thread and waits; this blocks the present thread only. */
class Asker {
  private readonly port: MessagePort;
  private readonly signal: Int32Array;

  constructor(request: RenderRequest) {
    // The port of node:worker_threads arrives as itself; the message's type names the web interface it implements.
    this.port = request.port as unknown as MessagePort;
    this.signal = new Int32Array(request.signal);
  }

  ask<T>(question: TreeQuestion | ChartQuestion): T {
    this.port.postMessage(question);
    for (;;) {
      Atomics.wait(this.signal, 0, 0);
      Atomics.store(this.signal, 0, 0);
      const received: { message: T } | undefined = receiveMessageOnPort(this.port);
      if (received !== undefined) return received.message;
    }
  }
}

/** A tree whose contents the main thread holds. */
class RemoteTree implements SourceTree {
  readonly revision: string;
  private readonly asker: Asker;
  private readonly folders: Map<string, readonly TreeEntry[] | undefined>;
  private readonly files: Map<string, Uint8Array | undefined>;

  constructor(request: RenderRequest, asker: Asker) {
    this.revision = request.revision;
    this.asker = asker;
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
    return this.asker.ask<TreeAnswer>(question).value;
  }
}

/** Charts that the main thread fetches and inflates. */
class RemoteCharts implements ChartInflator {
  private readonly asker: Asker;

  constructor(asker: Asker) {
    this.asker = asker;
  }

  pull(request: ChartPull): ChartFiles {
    // The pool answers `pull` with files.
    return this.ask({ ask: "pull", request }) as ChartFiles;
  }

  inflate(request: ChartInflation): string {
    // The pool answers `inflate` with text.
    return this.ask({ ask: "inflate", request }) as string;
  }

  private ask(question: ChartQuestion): ChartFiles | string {
    const answer = this.asker.ask<ChartAnswer>(question);
    if ("failed" in answer) throw fromFailedReply(answer.failed);
    return answer.value;
  }
}

function answer(request: RenderRequest, cache: RenderCache): RenderReply {
  try {
    const asker = new Asker(request);
    const charts = request.chartsAllowed ? new RemoteCharts(asker) : undefined;
    const outcome = render(new RemoteTree(request, asker), request.path, { ...request.options, charts, cache });
    return { type: "done", outcome };
  } catch (error) {
    if (error instanceof AppError) return toFailedReply(error);
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
