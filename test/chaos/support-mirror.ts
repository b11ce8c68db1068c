// A client's copy of a collection, kept by list and watch as informers do.
import type { ClientHttp2Stream } from "node:http2";
import type { LoadClient } from "../benchmark/support-apiserver-client.ts";
import { COLLECTION } from "./support-writer.ts";

interface WatchedObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

interface WatchEvent {
  readonly type: string;
  readonly object: WatchedObject & { readonly code?: number };
}

export class Mirror {
  /** Revisions by name. */
  readonly revisions = new Map<string, number>();
  /** The newest revision heard of. */
  revision = 0;
  resumed = 0;
  expired = 0;
  readonly surprises: string[] = [];
  #stream: ClientHttp2Stream | undefined;

  /** Goes on from where it was; lists again when the server says that it is too late for that. */
  async resume(client: LoadClient): Promise<void> {
    this.#stream?.destroy();
    if (this.revision > 0 && (await this.#watch(client))) {
      this.resumed += 1;
      return;
    }
    if (this.revision > 0) this.expired += 1;
    const { text } = await client.send("GET", COLLECTION, undefined, undefined, true);
    const list = JSON.parse(text) as { metadata: { resourceVersion: string }; items: readonly WatchedObject[] };
    this.revisions.clear();
    for (const { metadata } of list.items) this.revisions.set(metadata.name, Number(metadata.resourceVersion));
    this.revision = Number(list.metadata.resourceVersion);
    if (!(await this.#watch(client)))
      this.surprises.push(`a watch from the revision ${this.revision} of a list expired`);
  }

  /** True when the watch runs; false when its first event says that the revision is too old. */
  async #watch(client: LoadClient): Promise<boolean> {
    let decide: (runs: boolean) => void = () => {};
    const decided = new Promise<boolean>((resolve) => {
      decide = resolve;
    });
    let rest = "";
    const path = `${COLLECTION}?watch=true&allowWatchBookmarks=true&resourceVersion=${this.revision}`;
    this.#stream = await client.stream(path, (chunk) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // An event of a watch.
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === "ERROR") {
          if (event.object.code !== 410) this.surprises.push(`a watch ended with ${line}`);
          decide(false);
        } else {
          this.#apply(event);
          decide(true);
        }
      }
    });
    // Bookmarks come every few milliseconds of the server's hurried time.
    return decided;
  }

  #apply({ type, object }: WatchEvent): void {
    const { name, resourceVersion } = object.metadata;
    const revision = Number(resourceVersion);
    if (revision < this.revision || (revision === this.revision && type !== "BOOKMARK"))
      this.surprises.push(`${type} ${name} has revision ${revision} after ${this.revision}`);
    this.revision = revision;
    if (type === "DELETED") this.revisions.delete(name);
    else if (type !== "BOOKMARK") this.revisions.set(name, revision);
  }
}
