// The control plane as the process of a plan sees it: every request goes to the process that started this one.
import type { Duplex } from "node:stream";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../../kube/client/transport.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { provideMembers } from "../../cli/member-client.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import { readParentMessage } from "./messages.ts";

interface Waiting {
  resolve(answer: ApiResponse): void;
  reject(error: unknown): void;
}

export class ParentApi {
  readonly #connection: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(connection: Duplex) {
    this.#connection = connection;
  }

  /** Of the control plane, through which its members are found. */
  client(): KubeClient {
    const client = new KubeClient(this.#transport(undefined));
    const members = new Map<string, KubeClient>();
    provideMembers(client, async (name) => {
      const member = members.get(name) ?? new KubeClient(this.#transport(name));
      members.set(name, member);
      return member;
    });
    return client;
  }

  take(frame: Frame): void {
    const message = readParentMessage(frame);
    if (message.type === "plan" || message.type === "fill") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "failure") waiting?.reject(message.error);
    else waiting?.resolve({ status: message.status, headers: {}, body: frame.payload });
  }

  #transport(member: string | undefined): Transport {
    return (request) =>
      new Promise((resolve, reject) => {
        const id = ++this.#last;
        this.#waiting.set(id, { resolve, reject });
        const { method, path, headers } = request;
        const header = { type: "request", id, member, method, path, contentType: headers?.["content-type"] };
        for (const part of encodeFrame(header, bodyOf(request))) this.#connection.write(part);
      });
  }
}

function bodyOf({ object, body }: ApiRequest): Uint8Array {
  if (object !== undefined) return Buffer.from(stringifyJson(object));
  return typeof body === "string" ? Buffer.from(body) : (body ?? new Uint8Array());
}
