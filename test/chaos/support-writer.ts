// One client that writes without pause and remembers what it was told.
import type { LoadAnswer } from "../benchmark/support-apiserver-client.ts";

export const COLLECTION = "/api/v1/namespaces/default/configmaps";
const APPLY = "application/apply-patch+yaml";
const NAMES = 8;

/** A state that an object may have: what the last write of it said. */
export interface KnownState {
  /** Undefined when it does not exist. */
  readonly sequence: number | undefined;
  /** Of the answer that acknowledged it; undefined when none came. */
  readonly revision: string | undefined;
}

/** What is known of one object. */
export interface Known {
  acknowledged: KnownState;
  /** The write that had no answer when the server died: it may have happened or not, as a whole. */
  open: KnownState | undefined;
}

export type Send = (method: string, path: string, body?: string, type?: string) => Promise<LoadAnswer>;

/** The object in its `sequence`th state; every part of it says which state it is. */
export function objectOf(name: string, sequence: number): Record<string, unknown> {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { sequence: String(sequence) } },
    data: { sequence: String(sequence), text: textOf(sequence) },
  };
}

export function textOf(sequence: number): string {
  // From a few bytes to several pages of the file.
  return `${sequence};`.repeat(1 + ((sequence * 7919) % 2000));
}

export class Writer {
  readonly known = new Map<string, Known>();
  readonly #random: () => number;
  readonly #names: readonly string[];
  #sequence = 0;
  acknowledged = 0;
  /** Answers that nothing here explains. */
  readonly surprises: string[] = [];

  constructor(id: number, random: () => number) {
    this.#random = random;
    this.#names = Array.from({ length: NAMES }, (_, n) => `w${id}-${n}`);
    for (const name of this.#names) {
      this.known.set(name, { acknowledged: { sequence: undefined, revision: undefined }, open: undefined });
    }
  }

  /** Writes until a request gets no answer; `onAcknowledged` hears of each that does. */
  async writeUntilGone(send: Send, onAcknowledged: () => void): Promise<void> {
    for (;;) {
      const name = this.#names[Math.floor(this.#random() * NAMES)]!;
      const known = this.known.get(name)!;
      const { method, path, body, type, after } = this.#choose(name, known.acknowledged);
      known.open = { sequence: after, revision: undefined };
      let answer: LoadAnswer;
      try {
        answer = await send(method, path, body, type);
      } catch {
        return;
      }
      if (answer.status > 299) {
        this.surprises.push(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
        return;
      }
      const revision = /"resourceVersion":"([0-9]+)"/.exec(answer.text)?.[1];
      known.acknowledged = { sequence: after, revision: after === undefined ? undefined : revision };
      known.open = undefined;
      this.acknowledged += 1;
      onAcknowledged();
    }
  }

  #choose(
    name: string,
    now: KnownState,
  ): { method: string; path: string; body?: string; type?: string; after: number | undefined } {
    const dice = this.#random();
    const path = `${COLLECTION}/${name}`;
    if (now.sequence !== undefined && dice < 0.2) return { method: "DELETE", path, after: undefined };
    // Applying the present state again changes nothing; it can be acknowledged without a write.
    const after = now.sequence !== undefined && dice < 0.3 ? now.sequence : ++this.#sequence;
    const body = JSON.stringify(objectOf(name, after));
    const apply = { method: "PATCH", path: `${path}?fieldManager=chaos&force=true`, body, type: APPLY, after };
    if (dice < 0.6) return apply;
    if (now.sequence === undefined) return { method: "POST", path: COLLECTION, body, after };
    if (dice < 0.8) return { method: "PUT", path, body, after };
    return { method: "PATCH", path, body, type: "application/merge-patch+json", after };
  }
}
