// Runs in a worker thread: renders what the pool sends and asks it for the files it needs.

import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { AppError } from "../runtime/errors.ts";
import type { SourceTree, TreeEntry } from "../sources/tree.ts";
import type { ChartFiles, ChartInflation, ChartInflator, ChartPull } from "./kustomize/generators/helm-charts.ts";
import type { RemoteContents, RemoteReference, RemoteTree } from "./kustomize/loading/remote.ts";
import { RenderCache } from "./kustomize/render-cache.ts";
import { remoteKey } from "./remote-render.ts";
import { render } from "./render.ts";
import {
  type ChartAnswer,
  type ChartQuestion,
  fromFailedReply,
  type Question,
  type RemoteAnswer,
  type RemoteQuestion,
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

  ask<T>(question: Question): T {
    this.port.postMessage(question);
    for (;;) {
      Atomics.wait(this.signal, 0, 0);
      Atomics.store(this.signal, 0, 0);
      const received: { message: T } | undefined = receiveMessageOnPort(this.port);
      if (received !== undefined) return received.message;
    }
  }
}

/** A tree whose contents the main thread holds, under a number. */
class AskedTree implements SourceTree {
  readonly revision: string;
  private readonly asker: Asker;
  private readonly tree: number;
  private readonly folders: Map<string, readonly TreeEntry[] | undefined>;
  private readonly files: Map<string, Uint8Array | undefined>;

  constructor(asker: Asker, tree: number, known: Pick<RenderRequest, "revision" | "folders" | "files">) {
    this.revision = known.revision;
    this.asker = asker;
    this.tree = tree;
    this.folders = new Map(known.folders);
    this.files = new Map(known.files);
  }

  list(path: string): readonly TreeEntry[] | undefined {
    if (!this.folders.has(path)) {
      // The pool answers `list` with entries.
      this.folders.set(path, this.ask("list", path) as readonly TreeEntry[] | undefined);
    }
    return this.folders.get(path);
  }

  read(path: string): Uint8Array | undefined {
    if (!this.files.has(path)) {
      // The pool answers `read` with bytes.
      this.files.set(path, this.ask("read", path) as Uint8Array | undefined);
    }
    return this.files.get(path);
  }

  private ask(ask: TreeQuestion["ask"], path: string): TreeAnswer["value"] {
    return this.asker.ask<TreeAnswer>({ ask, tree: this.tree, path }).value;
  }
}

/** Bases and files elsewhere that the main thread fetches, each once for a build. */
class AskedRemotes implements RemoteContents {
  private readonly asker: Asker;
  private readonly bases = new Map<string, RemoteTree>();
  private readonly files = new Map<string, Uint8Array>();

  constructor(asker: Asker) {
    this.asker = asker;
  }

  base(reference: RemoteReference): RemoteTree {
    const key = remoteKey(reference);
    const known = this.bases.get(key);
    if (known !== undefined) return known;
    const answer = this.ask({ ask: "base", reference });
    // The pool answers `base` with a tree.
    const { tree, revision } = answer as { readonly tree: number; readonly revision: string };
    const base = { tree: new AskedTree(this.asker, tree, { revision, folders: new Map(), files: new Map() }) };
    this.bases.set(key, base);
    return base;
  }

  file(url: string): Uint8Array {
    const known = this.files.get(url);
    if (known !== undefined) return known;
    // The pool answers `remote-file` with bytes.
    const { bytes } = this.ask({ ask: "remote-file", url }) as { readonly bytes: Uint8Array };
    this.files.set(url, bytes);
    return bytes;
  }

  private ask(question: RemoteQuestion): RemoteAnswer {
    const answer = this.asker.ask<RemoteAnswer>(question);
    if ("failed" in answer) throw fromFailedReply(answer.failed);
    return answer;
  }
}

/** Charts that the main thread fetches and inflates. */
class AskedCharts implements ChartInflator {
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
    const charts = request.chartsAllowed ? new AskedCharts(asker) : undefined;
    const remotes = request.remotesAllowed ? new AskedRemotes(asker) : undefined;
    const tree = new AskedTree(asker, 0, request);
    const outcome = render(tree, request.path, { ...request.options, charts, remotes, cache });
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
