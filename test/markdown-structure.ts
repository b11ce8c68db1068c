// What a real parser finds in Markdown that we wrote, to see that text of others stayed text.
import MarkdownIt from "markdown-it";

export interface MarkdownStructure {
  readonly headings: readonly string[];
  readonly links: readonly string[];
  /** Tags, one by one, as they stand: `<details>`, `</code>`. */
  readonly tags: readonly string[];
  readonly images: number;
  readonly fences: readonly { readonly language: string; readonly content: string }[];
  readonly tables: number;
  /** What emphasis, lists, quotes and rules there are, by the parser's names. */
  readonly kinds: ReadonlySet<string>;
  /** Text that is in no code. */
  readonly plain: readonly string[];
  /** What is in code, and in no fence. */
  readonly code: readonly string[];
  /** Lines of paragraphs and headings that stand in nothing else, and begin with plain text; that text. */
  readonly lines: readonly string[];
}

// `linkify` finds more links than hosts do.
const parser = new MarkdownIt({ html: true, linkify: true });

export function markdownStructure(markdown: string): MarkdownStructure {
  const found = {
    headings: [] as string[],
    links: [] as string[],
    tags: [] as string[],
    images: 0,
    fences: [] as { language: string; content: string }[],
    tables: 0,
    kinds: new Set<string>(),
    plain: [] as string[],
    code: [] as string[],
    lines: [] as string[],
  };
  const html = (content: string) => {
    // Between our tags there is text, too.
    let inCode = false;
    for (const part of content.split(/(<[^>]*>)/)) {
      if (part.startsWith("<")) found.tags.push(part);
      if (part === "<code>" || part === "</code>") inCode = part === "<code>";
      else if (!part.startsWith("<") && part.trim() !== "") (inCode ? found.code : found.plain).push(part);
    }
  };
  const walk = (tokens: ReturnType<typeof parser.parse>) => {
    for (const [at, token] of tokens.entries()) {
      found.kinds.add(token.type);
      if (token.type === "heading_open") found.headings.push(`${token.markup} ${tokens[at + 1]?.content ?? ""}`);
      else if (token.type === "link_open") found.links.push(String(token.attrGet("href")));
      else if (token.type === "image") found.images++;
      else if (token.type === "fence") found.fences.push({ language: token.info, content: token.content });
      else if (token.type === "table_open") found.tables++;
      else if (token.type === "text") found.plain.push(token.content);
      else if (token.type === "code_inline") found.code.push(token.content);
      else if (token.type === "html_block" || token.type === "html_inline") html(token.content);
      walk(token.children ?? []);
    }
  };
  const tokens = parser.parse(markdown, {});
  walk(tokens);
  // Level 1: in a block that is in no other.
  for (const { children, level, type } of tokens)
    if (type === "inline" && level === 1) found.lines.push(...plainLinesOf(children ?? []));
  return found;
}

function plainLinesOf(children: ReturnType<typeof parser.parse>): string[] {
  const lines: { text: string; isPlain: boolean }[] = [{ text: "", isPlain: true }];
  let within = 0;
  for (const { content, nesting, type } of children) {
    // What a tag of others does reaches as far as it likes.
    within += type === "html_inline" ? 1 : nesting;
    if (type === "softbreak" || type === "hardbreak") lines.push({ text: "", isPlain: within === 0 });
    const line = lines.at(-1);
    if (line === undefined) continue;
    if (type === "text") line.text += content;
    else if (type !== "softbreak" && type !== "hardbreak" && line.text === "") line.isPlain = false;
  }
  return lines.filter(({ isPlain }) => isPlain).map(({ text }) => text);
}

/** Which of these tags are closed in the wrong order or not at all. */
export function unbalancedTags(tags: readonly string[]): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const tag of tags) {
    const name = /^<\/?([a-z]+)/.exec(tag)?.[1] ?? tag;
    if (!tag.startsWith("</")) open.push(name);
    else if (open.pop() !== name) wrong.push(tag);
  }
  return [...wrong, ...open];
}
