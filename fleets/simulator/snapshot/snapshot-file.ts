// The file of a snapshot: lines of JSON, compressed. A head, then for each API server a line about it and its objects,
// then a line that tells how many there were.
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { createGunzip, createGzip } from "node:zlib";
import {
  SNAPSHOT_FORMAT,
  type SnapshotHead,
  type SnapshotSource,
  snapshotEndSchema,
  snapshotHeadSchema,
  snapshotObjectSchema,
  snapshotSourceSchema,
} from "../../../api/fleet-snapshot.ts";
import { parseJson, stringifyJson } from "../../../kube/json.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { ImportedObject } from "../../apiserver/server.ts";

/** An object of an API server has at most 1.5 MiB; nothing has so much more. */
const LONGEST_LINE = 16_777_216;

/** What a snapshot has of one API server. */
export interface SnapshotPart extends SnapshotSource {
  readonly objects: readonly ImportedObject[];
}

/** What a snapshot file holds. */
export interface Snapshot {
  readonly head: SnapshotHead;
  readonly controlPlane: SnapshotPart | undefined;
  /** By name. */
  readonly clusters: ReadonlyMap<string, SnapshotPart>;
}

/** Writes a snapshot line by line, under another name until it is whole. */
export class SnapshotWriter {
  readonly #target: string;
  readonly #partial: string;
  readonly #gzip = createGzip();
  readonly #written: Promise<void>;
  #turn: Promise<void> = Promise.resolve();
  #sources = 0;
  #objects = 0;

  /** Refuses to replace a file unless `force`. */
  constructor(target: string, head: Omit<SnapshotHead, "apiVersion" | "kind" | "format">, force: boolean) {
    if (existsSync(target) && !force)
      throw new AppError("snapshot-exists", `${target} exists: choose another name, or replace it with --force`, {
        recovery: "stall",
      });
    this.#target = target;
    this.#partial = `${target}.partial`;
    const file = createWriteStream(this.#partial, { mode: 0o600 });
    this.#written = pipeline(this.#gzip, file);
    // Told to whoever writes or finishes.
    this.#written.catch(() => {});
    this.#line({ apiVersion: "config.flaghoist.io/v1alpha1", kind: "FleetSnapshot", format: SNAPSHOT_FORMAT, ...head });
  }

  get sources(): number {
    return this.#sources;
  }

  get objects(): number {
    return this.#objects;
  }

  /** Adds what was read of an API server, or why nothing was. */
  async part(source: SnapshotSource, objects: readonly ImportedObject[]): Promise<void> {
    // One after the other, whoever calls meanwhile.
    this.#turn = this.#turn.then(() => this.#part(source, objects));
    await this.#turn;
  }

  async #part(source: SnapshotSource, objects: readonly ImportedObject[]): Promise<void> {
    this.#sources++;
    this.#line({ ...source });
    for (const { plural, object } of objects) {
      this.#objects++;
      await this.#flow(this.#line({ plural, object }));
    }
  }

  /** Ends the file, and gives it its name. */
  async finish(): Promise<void> {
    this.#line({ end: { sources: this.#sources, objects: this.#objects } });
    this.#gzip.end();
    await this.#written;
    renameSync(this.#partial, this.#target);
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    this.#gzip.destroy();
    await this.#written.catch(() => {});
    rmSync(this.#partial, { force: true });
  }

  #line(value: Readonly<Record<string, unknown>>): boolean {
    return this.#gzip.write(`${stringifyJson(value)}\n`);
  }

  async #flow(hasRoom: boolean): Promise<void> {
    if (!hasRoom) await Promise.race([new Promise((resolve) => this.#gzip.once("drain", resolve)), this.#written]);
  }
}

/** Reads a snapshot whole. Throws `snapshot-unusable`, saying what is wrong and in which line. */
export async function readSnapshot(file: string): Promise<Snapshot> {
  const bad = (what: string, cause?: unknown): AppError =>
    new AppError("snapshot-unusable", `${file}: ${what}`, { recovery: "stall", cause });
  const parts: (SnapshotSource & { readonly objects: ImportedObject[] })[] = [];
  let head: SnapshotHead | undefined;
  let ended = false;
  let number = 0;
  try {
    for await (const line of linesOf(file)) {
      number++;
      const value = parseLine(line);
      if (value === undefined) throw bad(number === 1 ? "this is no snapshot" : `line ${number} is no JSON object`);
      if (head === undefined) {
        head = headOf(value, bad);
      } else if (ended) {
        throw bad(`line ${number} comes after the end`);
      } else if ("object" in value) {
        const { plural, object } = snapshotObjectSchema.parse(value);
        const part = parts.at(-1);
        if (part === undefined) throw bad(`line ${number} is an object of no server`);
        // Objects of an API server have these.
        part.objects.push({ plural, object: object as unknown as KubeObject });
      } else if ("source" in value) {
        const source = snapshotSourceSchema.parse(value);
        if (parts.some((each) => each.source === source.source && each.name === source.name))
          throw bad(`line ${number}: ${source.source} ${source.name} comes twice`);
        parts.push({ ...source, objects: [] });
      } else {
        const { end } = snapshotEndSchema.parse(value);
        const objects = parts.reduce((sum, part) => sum + part.objects.length, 0);
        if (end.sources !== parts.length || end.objects !== objects)
          throw bad(
            `it says that it has ${end.objects} objects of ${end.sources} servers, and has ${objects} of ${parts.length}`,
          );
        ended = true;
      }
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw bad(number === 0 ? messageOf(error) : `line ${number} cannot be read: ${messageOf(error)}`, error);
  }
  if (head === undefined) throw bad("it is empty");
  if (!ended) throw bad(`it was cut short after line ${number}: take another one`);
  return {
    head,
    controlPlane: parts.find((part) => part.source === "control-plane"),
    clusters: new Map(parts.filter((part) => part.source === "cluster").map((part) => [part.name, part])),
  };
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function headOf(value: Record<string, unknown>, bad: (what: string) => AppError): SnapshotHead {
  if (value["kind"] !== "FleetSnapshot") throw bad("this is no snapshot: its first line is no FleetSnapshot");
  const { format } = value;
  if (format !== SNAPSHOT_FORMAT)
    throw bad(
      `this snapshot has format ${String(format)}, taken by Flaghoist ${String(value["flaghoist"])}; this version reads format ${SNAPSHOT_FORMAT}`,
    );
  return snapshotHeadSchema.parse(value);
}

/** Compressed or not: `gunzip` may have been at it. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const gunzip = isCompressed(file) ? createGunzip() : undefined;
  if (gunzip !== undefined) raw.once("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  const source = gunzip ?? raw;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of source) {
      // Streams of bytes.
      const lines = (rest + decoder.write(chunk as Buffer)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw new Error(`a line has more than ${LONGEST_LINE} characters`);
      for (const line of lines) if (line.trim() !== "") yield line;
    }
    rest += decoder.end();
    if (rest.trim() !== "") yield rest;
  } finally {
    source.destroy();
    raw.destroy();
  }
}

function isCompressed(file: string): boolean {
  const start = Buffer.alloc(2);
  const opened = openSync(file, "r");
  try {
    readSync(opened, start, 0, 2, 0);
  } finally {
    closeSync(opened);
  }
  return start[0] === 0x1f && start[1] === 0x8b;
}
