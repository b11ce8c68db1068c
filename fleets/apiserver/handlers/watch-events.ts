// Events of watches, and their bytes.
import type { TransportEvent } from "../../../kube/client/transport.ts";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { encodeJson } from "../storage/json-text.ts";

const FRAME_END = Buffer.from("}\n");
const frameStarts = new Map<string, Buffer>();

/** One event, encoded when first asked for. Watches that show the same share it. */
export class WatchEvent {
  readonly type: TransportEvent["type"];
  /** About how many bytes it takes to send. */
  readonly size: number;
  readonly #object: () => KubeObject | JsonObject;
  readonly #bytes: (() => Buffer) | undefined;
  #frame: Buffer | undefined;

  /** `bytes` answers the object's JSON, where that is cheaper than encoding it. */
  constructor(
    type: TransportEvent["type"],
    size: number,
    object: () => KubeObject | JsonObject,
    bytes: (() => Buffer) | undefined,
  ) {
    this.type = type;
    this.size = size;
    this.#object = object;
    this.#bytes = bytes;
  }

  get object(): KubeObject | JsonObject {
    return this.#object();
  }

  /** The event as a line of the stream. */
  get frame(): Buffer {
    this.#frame ??= frameOf(this.type, this.#bytes?.() ?? Buffer.from(encodeJson(this.#object())));
    return this.#frame;
  }
}

function frameOf(type: string, object: Buffer): Buffer {
  let start = frameStarts.get(type);
  if (start === undefined) {
    start = Buffer.from(`{"type":"${type}","object":`);
    frameStarts.set(type, start);
  }
  return Buffer.concat([start, object, FRAME_END]);
}
