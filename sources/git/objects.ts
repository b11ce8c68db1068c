// Git's object formats: their names, and what is written inside commits, tags and trees.

import { hash } from "node:crypto";
import { gitCorrupt } from "../errors.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export interface GitObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

export interface CommitDetails {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  /** First line of the message. */
  readonly subject: string;
  readonly message: string;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
}

export type EntryKind = "file" | "directory" | "symlink" | "submodule";

export interface TreeRecord {
  readonly name: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
  readonly oid: string;
}

/** The name that Git gives to the content. */
export function objectName(type: ObjectType, content: Uint8Array): string {
  const header = Buffer.from(`${type} ${content.length}\0`, "latin1");
  return hash("sha1", Buffer.concat([header, content]), "hex");
}

/** Throws `git-corrupt` when the text is no commit. A missing author or odd time is no error. */
export function parseCommit(oid: string, content: Buffer): CommitDetails {
  const text = content.toString("utf8");
  const end = text.indexOf("\n\n");
  const headers = (end < 0 ? text : text.slice(0, end)).split("\n");
  const message = end < 0 ? "" : text.slice(end + 2);
  const tree = headers[0]?.startsWith("tree ") === true ? headers[0].slice(5) : "";
  if (!/^[0-9a-f]{40}$/.test(tree)) throw gitCorrupt(`the commit ${oid} names no tree`);
  const parents: string[] = [];
  for (const line of headers.slice(1)) {
    if (!line.startsWith("parent ")) break;
    const parent = line.slice(7);
    if (!/^[0-9a-f]{40}$/.test(parent)) throw gitCorrupt(`the commit ${oid} names a parent that is no object`);
    parents.push(parent);
  }
  return {
    oid,
    tree,
    parents,
    author: parsePerson(headers.find((line) => line.startsWith("author "))?.slice(7) ?? ""),
    committer: parsePerson(headers.find((line) => line.startsWith("committer "))?.slice(10) ?? ""),
    subject: message.trimStart().split("\n", 1)[0] ?? "",
    message,
  };
}

function parsePerson(text: string): Person {
  const match = /^(.*?) ?<([^>]*)>(?: (-?\d{1,15}))?/.exec(text);
  return { name: match?.[1] ?? "", email: match?.[2] ?? "", timeMs: Number(match?.[3] ?? 0) * 1000 };
}

/** What an annotated tag stands for. */
export function parseTag(oid: string, content: Buffer): { readonly object: string; readonly type: string } {
  const match = /^object ([0-9a-f]{40})\ntype (\w+)\n/.exec(content.toString("latin1", 0, 100));
  if (match === null) throw gitCorrupt(`the tag ${oid} names no object`);
  return { object: match[1] ?? "", type: match[2] ?? "" };
}

/** The entries in Git's order. Throws `git-corrupt` when the bytes are no tree. */
export function parseTree(oid: string, content: Buffer): TreeRecord[] {
  const records: TreeRecord[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const nul = content.indexOf(0, space);
    if (space < 0 || nul < 0 || space - at > 6 || nul + 21 > content.length) {
      throw gitCorrupt(`the tree ${oid} is malformed`);
    }
    const mode = Number.parseInt(content.toString("latin1", at, space), 8);
    records.push({
      name: content.toString("utf8", space + 1, nul),
      kind: kindOf(oid, mode),
      executable: (mode & 0o111) !== 0,
      oid: content.toString("hex", nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return records;
}

function kindOf(oid: string, mode: number): EntryKind {
  switch (mode & 0o170000) {
    case 0o040000:
      return "directory";
    case 0o100000:
      return "file";
    case 0o120000:
      return "symlink";
    case 0o160000:
      return "submodule";
    default:
      throw gitCorrupt(`the tree ${oid} holds an entry of an unknown kind`);
  }
}
