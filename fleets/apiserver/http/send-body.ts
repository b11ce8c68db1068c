// Writes bodies of answers without holding up others.
import type { Http2ServerResponse } from "node:http2";

const CHUNK_BYTES = 1_048_576;

/** Large bodies go in parts, so that other streams of the connection and of the process get their turn. */
export async function sendBytes(response: Http2ServerResponse, body: Uint8Array, signal: AbortSignal): Promise<void> {
  let at = 0;
  for (; body.byteLength - at > CHUNK_BYTES; at += CHUNK_BYTES) {
    if (signal.aborted) return;
    if (!response.write(body.subarray(at, at + CHUNK_BYTES))) await drained(response, signal);
  }
  response.end(body.subarray(at));
}

/** Sends the parts of a body as they come, as fast as the client reads them. */
export async function sendStream(
  response: Http2ServerResponse,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of body) {
    if (signal.aborted) return;
    if (!response.write(chunk)) await drained(response, signal);
  }
  response.end();
}

/** Waits until more can be written, or the reader is gone. */
function drained(response: Http2ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off("drain", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    response.on("drain", go);
    signal.addEventListener("abort", go, { once: true });
  });
}
