// Renders what names remote bases and files, in the calling thread: fetches what is missing and renders again.

import type { SourceTree } from "../sources/tree.ts";
import { renderError } from "./errors.ts";
import type { AsyncRemoteContents, RemoteContents, RemoteReference, RemoteTree } from "./kustomize/loading/remote.ts";

/** Different repositories, refs and files that one build may name. */
export const MAX_REMOTES = 200;

type Question =
  | { readonly ask: "base"; readonly reference: RemoteReference }
  | { readonly ask: "file"; readonly url: string };

/** Thrown into a render that needs an answer which is not there yet. No failure: it ends that attempt only. */
class RemotePending extends Error {
  readonly question: Question;

  constructor(question: Question) {
    super("a remote answer is not there yet");
    this.question = question;
  }
}

/**
 * Runs `render` with contents that hold everything it asks for. Each answer is fetched once; a render that finds one
 * missing ends and begins again when it is there, so `render` must have no effects. Rejects with what `render` throws, what
 * fetching throws, and the reason of `signal`.
 */
export async function withRemotes<T>(
  remotes: AsyncRemoteContents,
  signal: AbortSignal,
  render: (contents: RemoteContents) => T,
): Promise<T> {
  const answers = new RemoteAnswers();
  for (;;) {
    signal.throwIfAborted();
    try {
      return render(answers);
    } catch (error) {
      if (!(error instanceof RemotePending)) throw error;
      await answers.fetch(error.question, remotes, signal);
    }
  }
}

/** As `withRemotes`; without any, kustomizations that name something elsewhere are refused. */
export async function renderingRemotes<T>(
  remotes: AsyncRemoteContents | undefined,
  signal: AbortSignal,
  render: (contents: RemoteContents | undefined) => T,
): Promise<T> {
  return remotes === undefined ? render(undefined) : withRemotes(remotes, signal, render);
}

class RemoteAnswers implements RemoteContents {
  // What failed is kept too, so that the render that asks gets to say where it is named.
  readonly #bases = new Map<string, { readonly tree: SourceTree } | { readonly error: unknown }>();
  readonly #files = new Map<string, { readonly bytes: Uint8Array } | { readonly error: unknown }>();

  base(reference: RemoteReference): RemoteTree {
    const answer = this.#bases.get(remoteKey(reference));
    if (answer === undefined) throw new RemotePending({ ask: "base", reference });
    if ("error" in answer) throw answer.error;
    return answer;
  }

  file(url: string): Uint8Array {
    const answer = this.#files.get(url);
    if (answer === undefined) throw new RemotePending({ ask: "file", url });
    if ("error" in answer) throw answer.error;
    return answer.bytes;
  }

  async fetch(question: Question, remotes: AsyncRemoteContents, signal: AbortSignal): Promise<void> {
    if (this.#bases.size + this.#files.size >= MAX_REMOTES) throw tooManyRemotes();
    if (question.ask === "base") {
      const { reference } = question;
      this.#bases.set(remoteKey(reference), await remotes.base(reference, signal).catch(failed));
      return;
    }
    const answer = remotes.file(question.url, signal).then((bytes) => ({ bytes }));
    this.#files.set(question.url, await answer.catch(failed));
  }
}

function failed(error: unknown): { readonly error: unknown } {
  return { error };
}

/** Equal for references to the same files. */
export function remoteKey({ repository, ref }: RemoteReference): string {
  return `${repository}\n${ref}`;
}

export function tooManyRemotes(): Error {
  return renderError("render-too-large", `more than ${MAX_REMOTES} remote bases and files are named`);
}
