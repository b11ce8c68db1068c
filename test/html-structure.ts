// What a browser finds in a page of HTML: a tokenizer for pages as we write them, strict where a browser would guess.

export interface HtmlTag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface HtmlStructure {
  /** Opening tags, in order. */
  readonly tags: readonly HtmlTag[];
  /** What stands between tags, with entities read; without style and script. */
  readonly text: string;
  /** Tags that are closed by others than theirs, left open, or not closed. */
  readonly faults: readonly string[];
}

const VOID = new Set(["meta", "rect", "br"]);
const RAW = new Set(["style", "script"]);
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const TAG = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?>/;
const ATTRIBUTE = /([a-zA-Z-]+)(?:="([^"<>]*)")?/g;

/** Reads a page. Whatever is neither text nor a tag as we write them is a fault. */
export function htmlStructure(page: string): HtmlStructure {
  const tags: HtmlTag[] = [];
  const faults: string[] = [];
  const open: string[] = [];
  let text = "";
  let at = page.startsWith("<!doctype html>") ? "<!doctype html>".length : 0;
  while (at < page.length) {
    const next = page.indexOf("<", at);
    const end = next === -1 ? page.length : next;
    text += readEntities(page.slice(at, end), faults);
    at = end;
    if (at === page.length) break;
    const [whole = "", closing = "", name = "", rest = ""] = TAG.exec(page.slice(at, at + 20_000)) ?? [];
    if (whole === "") {
      faults.push(`no tag: ${page.slice(at, at + 40)}`);
      at++;
      continue;
    }
    at += whole.length;
    if (closing === "/") {
      if (open.pop() !== name) faults.push(`</${name}>`);
      continue;
    }
    const attributes = Object.fromEntries(
      [...rest.matchAll(ATTRIBUTE)].map(([, key = "", value = ""]) => [key, readEntities(value, faults)]),
    );
    tags.push({ name, attributes });
    if (RAW.has(name)) at = page.indexOf(`</${name}>`, at) + name.length + 3;
    else if (!VOID.has(name)) open.push(name);
  }
  return { tags, text, faults: [...faults, ...open.map((name) => `<${name}> is left open`)] };
}

function readEntities(text: string, faults: string[]): string {
  return text.replace(/&([^;\s]*;?)/g, (entity, name: string) => {
    const read = ENTITIES[name.replace(/;$/, "")];
    if (read !== undefined && name.endsWith(";")) return read;
    faults.push(entity);
    return entity;
  });
}
