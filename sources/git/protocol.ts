// The fetch half of Git's smart HTTP protocol: version 2, and version 0 for servers that know no other.

import { gitCorrupt, gitInvalidRepository, gitObjectMissing } from "../errors.ts";
import type { GitHttp } from "./http.ts";
import type { GitLimits } from "./limits.ts";
import { DELIMITER, FLUSH, PacketReader, packetLine, packetText } from "./packet-lines.ts";

const SERVICE = "git-upload-pack";
const ZERO = "0".repeat(40);

export interface RemoteRef {
  /** Full name, `HEAD` or `refs/…`. */
  readonly name: string;
  /** What the name stands for: the commit, also where the name is that of an annotated tag. */
  readonly oid: string;
  /** The annotated tag's own object. */
  readonly tagOid?: string;
  /** For `HEAD`: the full name of the default branch. */
  readonly target?: string;
}

export interface FetchRequest {
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Commits of ours whose parents we lack. */
  readonly shallow: readonly string[];
  /** How far back to go. `all`: to the beginning, or to what we have. */
  readonly history: { readonly depth: number } | { readonly sinceSeconds: number } | "all";
}

export interface FetchAnswer {
  readonly shallow: readonly string[];
  readonly unshallow: readonly string[];
  /** Bytes of the pack as they arrive. */
  readonly pack: AsyncIterable<Uint8Array>;
}

interface Advertisement {
  readonly version: 0 | 2;
  readonly capabilities: ReadonlyMap<string, string>;
  readonly refs: readonly RemoteRef[];
}

/**
 * One remote repository. What the server can do is asked once and remembered, so that looking for changes costs one
 * request under version 2, and one request under version 0 (where it is the same request).
 */
export class GitRemote {
  readonly http: GitHttp;
  readonly #limits: GitLimits;
  #known: Advertisement | undefined;

  constructor(http: GitHttp, limits: GitLimits) {
    this.http = http;
    this.#limits = limits;
  }

  /** References whose names start with one of the prefixes. A server may answer with more. */
  async listRefs(prefixes: readonly string[], signal: AbortSignal): Promise<readonly RemoteRef[]> {
    if (this.#known === undefined || this.#known.version === 0) this.#known = await this.#discover(signal);
    const known = this.#known;
    if (known.version === 0) return known.refs;
    try {
      return await this.#listRefs2(known, prefixes, signal);
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }

  /** Whether history can be cut by date. */
  get knowsSince(): boolean {
    const known = this.#known;
    if (known === undefined) return false;
    if (known.version === 0) return known.capabilities.has("deepen-since");
    return (known.capabilities.get("fetch") ?? "").split(" ").includes("shallow");
  }

  /** Asks for objects. Must follow `listRefs`. Throws `git-object-missing` when the server will not give a wanted one. */
  async fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchAnswer> {
    this.#known ??= await this.#discover(signal);
    const known = this.#known;
    const body = known.version === 2 ? fetchBody2(request) : fetchBody0(request, known.capabilities);
    const chunks = await this.http.send({
      suffix: `/${SERVICE}`,
      headers: {
        "content-type": `application/x-${SERVICE}-request`,
        accept: `application/x-${SERVICE}-result`,
        ...(known.version === 2 ? { "git-protocol": "version=2" } : {}),
      },
      body,
      contentType: `application/x-${SERVICE}-result`,
      maxBytes: this.#limits.maxPackBytes,
      signal,
    });
    const reader = new PacketReader(chunks);
    const answer =
      known.version === 2 ? await this.#readSections(reader, request) : await this.#readNegotiation(reader, request);
    return { ...answer, pack: demultiplex(reader, answer.first) };
  }

  async #discover(signal: AbortSignal): Promise<Advertisement> {
    const chunks = await this.http.send({
      suffix: `/info/refs?service=${SERVICE}`,
      headers: { "git-protocol": "version=2" },
      contentType: `application/x-${SERVICE}-advertisement`,
      maxBytes: this.#limits.maxRefsBytes,
      signal,
    });
    const reader = new PacketReader(chunks);
    let line = await reader.line();
    if (line === `# service=${SERVICE}`) {
      await reader.next();
      line = await reader.line();
    }
    if (line === "version 2") return this.#readCapabilities2(reader);
    return this.#readRefs0(reader, line);
  }

  async #readCapabilities2(reader: PacketReader): Promise<Advertisement> {
    const capabilities = new Map<string, string>();
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      const at = line.indexOf("=");
      capabilities.set(at < 0 ? line : line.slice(0, at), at < 0 ? "" : line.slice(at + 1));
    }
    await drain(reader);
    this.#checkFormat(capabilities.get("object-format"));
    return { version: 2, capabilities, refs: [] };
  }

  async #readRefs0(reader: PacketReader, first: string | undefined): Promise<Advertisement> {
    const capabilities = new Map<string, string>();
    const symbolic = new Map<string, string>();
    const names = new Map<string, string>();
    let line = first === "version 1" ? await reader.line() : first;
    for (; line !== undefined; line = await reader.line()) {
      if (line.startsWith("ERR ")) throw gitInvalidRepository(this.http.url, `answers: ${line.slice(4, 204)}`);
      const nul = line.indexOf("\0");
      if (nul >= 0) {
        for (const word of line.slice(nul + 1).split(" ")) {
          const [key = "", ...rest] = word.split("=");
          const value = rest.join("=");
          const colon = value.indexOf(":");
          if (key === "symref" && colon > 0) symbolic.set(value.slice(0, colon), value.slice(colon + 1));
          else if (key !== "") capabilities.set(key, value);
        }
        line = line.slice(0, nul);
      }
      const oid = line.slice(0, 40);
      if (!isOid(oid) || line[40] !== " ")
        throw gitInvalidRepository(this.http.url, "lists references in an unknown form");
      if (oid !== ZERO) names.set(line.slice(41), oid);
    }
    await drain(reader);
    this.#checkFormat(capabilities.get("object-format"));
    const refs: RemoteRef[] = [];
    for (const [name, oid] of names) {
      if (name.endsWith("^{}")) continue;
      const peeled = names.get(`${name}^{}`);
      const target = symbolic.get(name);
      refs.push({
        name,
        oid: peeled ?? oid,
        ...(peeled === undefined ? {} : { tagOid: oid }),
        ...(target === undefined ? {} : { target }),
      });
    }
    return { version: 0, capabilities, refs };
  }

  async #listRefs2(
    known: Advertisement,
    prefixes: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly RemoteRef[]> {
    const body = Buffer.concat([
      packetLine("command=ls-refs\n"),
      ...(known.capabilities.has("object-format") ? [packetLine("object-format=sha1\n")] : []),
      DELIMITER,
      packetLine("peel\n"),
      packetLine("symrefs\n"),
      ...prefixes.map((prefix) => packetLine(`ref-prefix ${prefix}\n`)),
      FLUSH,
    ]);
    const chunks = await this.http.send({
      suffix: `/${SERVICE}`,
      headers: {
        "content-type": `application/x-${SERVICE}-request`,
        accept: `application/x-${SERVICE}-result`,
        "git-protocol": "version=2",
      },
      body,
      contentType: `application/x-${SERVICE}-result`,
      maxBytes: this.#limits.maxRefsBytes,
      signal,
    });
    const reader = new PacketReader(chunks);
    const refs: RemoteRef[] = [];
    for (;;) {
      const packet = await reader.next();
      if (packet.type === "closed") throw gitCorrupt(`the list of references of ${this.http.url} was cut short`);
      if (packet.type !== "data") break;
      const line = packetText(packet.bytes);
      if (line.startsWith("ERR ")) throw gitInvalidRepository(this.http.url, `answers: ${line.slice(4, 204)}`);
      const [oid = "", name = "", ...attributes] = line.split(" ");
      if (oid === "unborn") continue;
      if (!isOid(oid) || name === "") throw gitInvalidRepository(this.http.url, "lists references in an unknown form");
      const peeled = attributes.find((text) => text.startsWith("peeled:"))?.slice(7);
      const target = attributes.find((text) => text.startsWith("symref-target:"))?.slice(14);
      refs.push({
        name,
        oid: peeled !== undefined && isOid(peeled) ? peeled : oid,
        ...(peeled === undefined ? {} : { tagOid: oid }),
        ...(target === undefined ? {} : { target }),
      });
    }
    // Reading to the end lets the connection be used again.
    await drain(reader);
    return refs;
  }

  async #readSections(reader: PacketReader, request: FetchRequest): Promise<Negotiated> {
    const shallow: string[] = [];
    const unshallow: string[] = [];
    for (;;) {
      const section = await reader.line();
      if (section === undefined) throw gitCorrupt(`the answer of ${this.http.url} holds no pack`);
      this.#checkRefusal(section, request);
      if (section === "packfile") return { shallow, unshallow, first: undefined };
      for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
        this.#checkRefusal(line, request);
        if (section === "shallow-info") readShallow(line, shallow, unshallow);
      }
    }
  }

  async #readNegotiation(reader: PacketReader, request: FetchRequest): Promise<Negotiated> {
    const shallow: string[] = [];
    const unshallow: string[] = [];
    for (;;) {
      const packet = await reader.next();
      if (packet.type === "closed") throw gitCorrupt(`the answer of ${this.http.url} holds no pack`);
      if (packet.type !== "data") continue;
      if ((packet.bytes[0] ?? 0) <= 3) return { shallow, unshallow, first: packet.bytes };
      const line = packetText(packet.bytes);
      this.#checkRefusal(line, request);
      readShallow(line, shallow, unshallow);
    }
  }

  #checkRefusal(line: string, request: FetchRequest): void {
    if (!line.startsWith("ERR ")) return;
    if (/not our ref|not a valid object|unadvertised|no such/i.test(line))
      throw gitObjectMissing(request.wants[0] ?? "");
    throw gitInvalidRepository(this.http.url, `answers: ${line.slice(4, 204)}`);
  }

  #checkFormat(format: string | undefined): void {
    if (format === undefined || format === "sha1") return;
    throw gitInvalidRepository(this.http.url, `names its objects by ${format.slice(0, 20)}, and only sha1 can be read`);
  }
}

interface Negotiated {
  readonly shallow: readonly string[];
  readonly unshallow: readonly string[];
  readonly first: Buffer | undefined;
}

function readShallow(line: string, shallow: string[], unshallow: string[]): void {
  const [word, oid = ""] = line.split(" ");
  if (!isOid(oid)) return;
  if (word === "shallow") shallow.push(oid);
  if (word === "unshallow") unshallow.push(oid);
}

function fetchBody2(request: FetchRequest): Buffer {
  return Buffer.concat([
    packetLine("command=fetch\n"),
    DELIMITER,
    packetLine("thin-pack\n"),
    packetLine("ofs-delta\n"),
    packetLine("no-progress\n"),
    ...historyLines(request),
    ...request.wants.map((oid) => packetLine(`want ${oid}\n`)),
    ...request.haves.map((oid) => packetLine(`have ${oid}\n`)),
    packetLine("done\n"),
    FLUSH,
  ]);
}

const CAPABILITIES_0 = ["multi_ack_detailed", "side-band-64k", "thin-pack", "ofs-delta", "no-progress"];

function fetchBody0(request: FetchRequest, known: ReadonlyMap<string, string>): Buffer {
  const shallowWords =
    request.history === "all" ? [] : "depth" in request.history ? ["shallow"] : ["shallow", "deepen-since"];
  const words = [...CAPABILITIES_0, ...shallowWords].filter((word) => known.has(word));
  return Buffer.concat([
    ...request.wants.map((oid, index) => packetLine(`want ${oid}${index === 0 ? ` ${words.join(" ")}` : ""}\n`)),
    ...(known.has("shallow") ? historyLines(request) : []),
    FLUSH,
    ...request.haves.map((oid) => packetLine(`have ${oid}\n`)),
    packetLine("done\n"),
  ]);
}

function historyLines(request: FetchRequest): Buffer[] {
  const lines = request.shallow.map((oid) => packetLine(`shallow ${oid}\n`));
  if (request.history === "all") return lines;
  if ("depth" in request.history) lines.push(packetLine(`deepen ${request.history.depth}\n`));
  else lines.push(packetLine(`deepen-since ${request.history.sinceSeconds}\n`));
  return lines;
}

/** Picks the pack out of the multiplexed stream: band 1 is the pack, 2 progress, 3 a fatal message. */
async function* demultiplex(reader: PacketReader, first: Buffer | undefined): AsyncGenerator<Uint8Array> {
  let bytes = first;
  for (;;) {
    if (bytes === undefined) {
      const packet = await reader.next();
      if (packet.type === "closed") throw gitCorrupt("the pack was cut short");
      if (packet.type !== "data") break;
      bytes = packet.bytes;
    }
    const band = bytes[0];
    if (band === 1) yield bytes.subarray(1);
    else if (band === 3) throw gitCorrupt(`the Git server gave up: ${bytes.toString("utf8", 1, 200).trim()}`);
    bytes = undefined;
  }
  await drain(reader);
}

async function drain(reader: PacketReader): Promise<void> {
  for (;;) {
    const packet = await reader.next();
    if (packet.type === "closed") return;
  }
}

/** Whether the text is a full object name. */
export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
