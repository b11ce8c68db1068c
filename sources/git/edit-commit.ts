// A commit that changes some files of another one, made of the few objects that are new: without a checkout, and whatever
// else the other commit has stays to the byte.
import { hash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { gitCorrupt, gitUnsafePath } from "../errors.ts";
import type { ObjectStore } from "./object-store.ts";
import { type GitObject, type ObjectType, objectName, type Person, parseTree } from "./objects.ts";
import { writeEntryHeader } from "./pack-entry.ts";

export interface EditOptions {
  /** The commit to change, and its tree. */
  readonly parent: string;
  readonly treeId: string;
  /** New contents, by path; only of files that are there. */
  readonly files: ReadonlyMap<string, string>;
  readonly message: string;
  readonly author: Person;
}

export interface EditedCommit {
  readonly oid: string;
  /** What the parent's repository lacks, the commit among it. */
  readonly objects: readonly GitObject[];
}

const NAME_BYTES = 20;

/** Throws `git-unsafe-path` for what is no file of the tree. The same input gives the same commit. */
export function editCommit(store: Pick<ObjectStore, "read">, options: EditOptions): EditedCommit {
  const objects = new Map<string, GitObject>();
  const add = (type: ObjectType, content: Buffer): string => {
    const oid = objectName(type, content);
    objects.set(oid, { type, content });
    return oid;
  };

  function withFile(treeId: string, parts: readonly string[], path: string, blob: string): string {
    const [name = "", ...rest] = parts;
    const known = objects.get(treeId) ?? store.read(treeId);
    const content = Buffer.from(known.content);
    const entry = findEntry(content, name);
    if (known.type !== "tree" || entry === undefined) throw gitUnsafePath(path, "is not there to be changed");
    const isFolder = entry.mode === "40000";
    if (isFolder !== rest.length > 0 || (!isFolder && !entry.mode.startsWith("100")))
      throw gitUnsafePath(path, "is no file that can be changed");
    const child = isFolder ? withFile(entry.oid, rest, path, blob) : blob;
    content.write(child, entry.at, NAME_BYTES, "hex");
    return add("tree", content);
  }

  let tree = options.treeId;
  for (const [path, text] of options.files)
    tree = withFile(tree, path.split("/"), path, add("blob", Buffer.from(text, "utf8")));
  const { message, parent } = options;
  const person = personText(options.author);
  const commit = `tree ${tree}\nparent ${parent}\nauthor ${person}\ncommitter ${person}\n\n${message.trimEnd()}\n`;
  const kept = new Map<string, GitObject>();
  const keep = (oid: string): void => {
    const object = objects.get(oid);
    if (object === undefined || kept.has(oid)) return;
    kept.set(oid, object);
    if (object.type === "tree") for (const record of parseTree(oid, object.content)) keep(record.oid);
  };
  // Where several files change, trees were made on the way that nothing leads to.
  keep(tree);
  const oid = add("commit", Buffer.from(commit, "utf8"));
  keep(oid);
  return { oid, objects: [...kept.values()] };
}

/** Name, mode and where the name of its object begins. */
function findEntry(
  content: Buffer,
  name: string,
): { readonly mode: string; readonly oid: string; readonly at: number } | undefined {
  const wanted = Buffer.from(name, "utf8");
  for (let from = 0; from < content.length; ) {
    const space = content.indexOf(0x20, from);
    const nul = content.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + NAME_BYTES >= content.length) throw gitCorrupt("a tree is malformed");
    const at = nul + 1;
    if (content.subarray(space + 1, nul).equals(wanted))
      return {
        mode: content.toString("latin1", from, space).replace(/^0+/, ""),
        oid: content.toString("hex", at, at + NAME_BYTES),
        at,
      };
    from = at + NAME_BYTES;
  }
  return undefined;
}

/** Signs that end a name or an address in a commit are left out. */
function personText({ name, email, timeMs }: Person): string {
  const clean = (text: string): string =>
    Array.from(text)
      .filter((char) => char >= " " && char !== "<" && char !== ">" && char !== "\u007f")
      .join("")
      .trim();
  return `${clean(name)} <${clean(email)}> ${Math.floor(timeMs / 1000)} +0000`;
}

/** The objects as Git sends them. */
export function packObjects(objects: readonly GitObject[]): Buffer {
  const head = Buffer.alloc(12);
  head.write("PACK", "latin1");
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts: Buffer[] = [head];
  for (const { type, content } of objects) parts.push(writeEntryHeader(type, content.length), deflateSync(content));
  const pack = Buffer.concat(parts);
  return Buffer.concat([pack, hash("sha1", pack, "buffer")]);
}
