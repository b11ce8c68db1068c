// Sends the answer to a request: its headers, and its body packed where that is worth it.
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { sendBytes, sendPacked, sendSource, sendStream } from "./send-body.ts";

const COMPRESS_FROM_BYTES = 131_072;
const compress = promisify(gzip);

/** What surrounds an answer. */
export interface SendOptions {
  /** Headers of every answer. */
  readonly common: Readonly<Record<string, string>>;
  /** The client is gone. */
  readonly signal: AbortSignal;
  /** The port closes: what would go on for ever ends. */
  readonly closing: AbortSignal;
}

/** Sends an answer to its end. Fails when the client is gone before. */
export async function sendAnswer(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  answer: ApiResponse,
  { common, signal, closing }: SendOptions,
): Promise<void> {
  if (answer.source !== undefined && request.method !== "HEAD") {
    // Lists are packed, watches are not: their events would wait for one another.
    const packs = answer.events === undefined && acceptsGzip(request);
    const encoding = packs ? { "content-encoding": "gzip", vary: "Accept-Encoding" } : {};
    response.writeHead(answer.status, { ...common, ...mutableHeaders(answer.headers), ...encoding });
    flushHeaders(response);
    await (packs ? sendPacked : sendSource)(response, answer.source, signal);
    return;
  }
  const { body } = answer;
  if (!(body instanceof Uint8Array)) {
    response.writeHead(answer.status, { ...common, ...mutableHeaders(answer.headers) });
    flushHeaders(response);
    // Watches end by themselves; what other servers send ends here.
    await sendStream(response, body, signal, answer.events === undefined ? closing : undefined);
    return;
  }
  const packed = await packedBody(request, body);
  response.writeHead(answer.status, {
    ...common,
    ...mutableHeaders(answer.headers),
    ...(packed === undefined ? {} : { "content-encoding": "gzip", vary: "Accept-Encoding" }),
    ...(answer.status === 304 ? {} : { "content-length": String((packed ?? body).byteLength) }),
  });
  if (request.method === "HEAD" || answer.status === 304) response.end();
  else await sendBytes(response, packed ?? body, signal);
}

/** HTTP/2 sends headers at once; HTTP/1.1 answers come through the same listener and wait for a body. */
function flushHeaders(response: Http2ServerResponse): void {
  if ("flushHeaders" in response && typeof response.flushHeaders === "function") response.flushHeaders();
}

async function packedBody(request: Http2ServerRequest, body: Uint8Array): Promise<Uint8Array | undefined> {
  if (body.byteLength < COMPRESS_FROM_BYTES) return undefined;
  return acceptsGzip(request) ? compress(body, { level: constants.Z_BEST_SPEED }) : undefined;
}

function acceptsGzip(request: Http2ServerRequest): boolean {
  return /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
}

function mutableHeaders(headers: ApiResponse["headers"]): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    result[name] = typeof value === "string" ? headerText(value) : value.map(headerText);
  }
  return result;
}

/** UTF-8 in the bytes of a header, as the reference sends it; Node takes texts for Latin-1. No text ends a header. */
function headerText(text: string): string {
  if (/^[\u0020-\u007e\t]*$/.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  return Buffer.from(text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, " ")).toString("latin1");
}
