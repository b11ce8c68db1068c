// Documents of other servers over HTTPS, within limits.
import { request } from "node:https";
import { messageOf } from "../../../runtime/errors.ts";

const MOST_BYTES = 1_048_576;
const TIMEOUT_MS = 10_000;

/** Fetches JSON documents over HTTPS from servers that `caPem` vouches for (absent: the usual authorities). */
export function httpsFetcher(caPem: string | undefined): (url: string) => Promise<unknown> {
  return (url) =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`cannot fetch ${url}: ${why}`));
      const options = { ...(caPem === undefined ? {} : { ca: caPem }), timeout: TIMEOUT_MS, agent: false };
      const sent = request(url, { ...options, headers: { accept: "application/json" } }, (response) => {
        if (response.statusCode !== 200) {
          fail(`the answer is ${response.statusCode}`);
          response.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.byteLength;
          chunks.push(chunk);
          if (size > MOST_BYTES) {
            fail(`the answer is longer than ${MOST_BYTES} bytes`);
            response.destroy();
          }
        });
        response.on("error", (error) => fail(messageOf(error)));
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch {
            fail("the answer is no JSON");
          }
        });
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      sent.on("error", (error) => fail(messageOf(error)));
      sent.end();
    });
}
