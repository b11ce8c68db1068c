// Many watches over one HTTP/2 connection, read with as little work as possible: the server is measured, not the client.
import { connect, type TLSSocket } from "node:tls";
import type { Endpoint } from "./support-apiserver-client.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER_BYTES = 9;
const LARGEST_WINDOW = 0x7fff_ffff;
const FIRST_WINDOW = 65_535;
const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const ACK = 1;
const END_STREAM_AND_HEADERS = 5;
const INITIAL_WINDOW_SIZE = 4;
const NEWLINE = 0x0a;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A text of HPACK, without compression. */
function hpackText(text: string): Buffer {
  if (text.length < 127) return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const rest = text.length - 127;
  const length = rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >> 7];
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
}

export class WatchConnection {
  readonly #socket: TLSSocket;
  readonly #authority: string;
  readonly #opened = new Map<number, () => void>();
  readonly #onEvent = new Map<number, () => void>();
  #nextStream = 1;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: TLSSocket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    const window = Buffer.alloc(6);
    window.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
    window.writeUInt32BE(LARGEST_WINDOW, 2);
    const more = Buffer.alloc(4);
    more.writeUInt32BE(LARGEST_WINDOW - FIRST_WINDOW, 0);
    socket.write(
      Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0, window), frame(WINDOW_UPDATE, 0, 0, more)]),
    );
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
  }

  static open({ url, certificates: { caPem: ca, admin } }: Endpoint): Promise<WatchConnection> {
    const { hostname, port, host } = new URL(url);
    const options = { ca, cert: admin.certificate, key: admin.key, ALPNProtocols: ["h2"] };
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), ...options }, () => {
        socket.off("error", reject);
        resolve(new WatchConnection(socket, host));
      });
      socket.once("error", reject);
    });
  }

  /** Opens a watch; `onEvent` is called for each line of it. Resolves when the headers of the answer are there. */
  watch(path: string, onEvent: () => void): Promise<void> {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    // By the static table: GET, https, then :path, :authority and accept with values of their own.
    const headers = Buffer.concat([
      ...[Buffer.from([0x82, 0x87, 0x04]), hpackText(path)],
      ...[Buffer.from([0x01]), hpackText(this.#authority)],
      ...[Buffer.from([0x0f, 0x04]), hpackText("application/json")],
    ]);
    this.#onEvent.set(stream, onEvent);
    this.#socket.write(frame(HEADERS, END_STREAM_AND_HEADERS, stream, headers));
    return new Promise((resolve) => this.#opened.set(stream, resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const end = at + HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#onFrame(bytes, at, end);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const isAck = (bytes[at + 4]! & ACK) !== 0;
    const stream = bytes.readUInt32BE(at + 5);
    if (type === DATA) {
      const onEvent = this.#onEvent.get(stream);
      if (onEvent === undefined) return;
      // Newlines within the JSON are escaped: each one ends an event.
      let line = bytes.indexOf(NEWLINE, at + HEADER_BYTES);
      for (; line >= 0 && line < end; line = bytes.indexOf(NEWLINE, line + 1)) onEvent();
    } else if (type === HEADERS) {
      this.#opened.get(stream)?.();
      this.#opened.delete(stream);
    } else if (type === SETTINGS && !isAck) this.#socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
    else if (type === PING && !isAck) this.#socket.write(frame(PING, ACK, 0, bytes.subarray(at + HEADER_BYTES, end)));
  }
}
