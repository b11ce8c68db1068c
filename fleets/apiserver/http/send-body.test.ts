import { getEventListeners } from "node:events";
import type { Http2ServerResponse } from "node:http2";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { sendStream } from "./send-body.ts";

/** Takes what is written; sendStream uses nothing of a response but its being a stream. */
function sink(): { readonly response: Http2ServerResponse; readonly text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { response: stream as unknown as Http2ServerResponse, text: () => text };
}

async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("sendStream", () => {
  it("leaves nothing behind on the signal that ends all answers", async () => {
    const until = new AbortController();
    const { response, text } = sink();

    await sendStream(response, parts("a", "b"), new AbortController().signal, until.signal);

    expect(text()).toBe("ab");
    expect(getEventListeners(until.signal, "abort")).toEqual([]);
  });

  it("ends after the part that came last when that signal aborts", async () => {
    const until = new AbortController();
    const { response, text } = sink();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a");
      until.abort();
      await new Promise(() => undefined);
    }

    await sendStream(response, endless(), new AbortController().signal, until.signal);

    expect(text()).toBe("a");
  });
});
