// Syntax errors of YAML in the words of go-yaml, which clients of an API server see.

/** A syntax error as the library tells it. */
export interface YamlSyntaxProblem {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

/** Errors of go-yaml's scanner name their line, those of its parser the line before; the first line is not named. */
type Layer = "scanner" | "parser";

interface Wording {
  readonly layer: Layer;
  readonly words: string;
  /** Where go-yaml notices it, when not where the library does. */
  readonly offset?: number;
  readonly linesOn?: number;
}

/**
 * What go-yaml says of the first of a text's problems, without the leading `yaml: `; undefined for a problem that has no
 * known counterpart.
 */
export function goYamlMessage(text: string, problem: YamlSyntaxProblem): string | undefined {
  const wording = wordingOf(text, problem);
  if (wording === undefined) return undefined;
  const offset = wording.offset ?? problem.offset;
  let line = text.slice(0, offset).split("\n").length + (wording.linesOn ?? 0);
  // The end of a text counts as the beginning of another line.
  const isOpenEnd = offset >= text.length && !text.endsWith("\n");
  if (wording.layer === "parser" && isOpenEnd) line += 1;
  if (line === 1) return wording.words;
  return `line ${wording.layer === "scanner" ? line : line - 1}: ${wording.words}`;
}

function wordingOf(text: string, { code, message, offset }: YamlSyntaxProblem): Wording | undefined {
  switch (code) {
    case "BAD_INDENT":
      if (message.startsWith("Flow")) return unclosed(text, message, offset);
      return message.startsWith("All mapping items")
        ? { layer: "parser", words: "did not find expected key" }
        : undefined;
    case "BLOCK_AS_IMPLICIT_KEY": {
      const colon = text.slice(offset).search(/:(?:\s|$)/);
      const words = "mapping values are not allowed in this context";
      return { layer: "scanner", words, offset: offset + Math.max(0, colon) };
    }
    case "TAB_AS_INDENT": {
      const opens = /:[ \t]*\n?$/.test(text.slice(0, offset));
      const words = opens
        ? "found character that cannot start any token"
        : "found a tab character that violates indentation";
      return { layer: "scanner", words };
    }
    case "MISSING_CHAR":
      if (message.startsWith("Missing closing")) return { layer: "scanner", words: "found unexpected end of stream" };
      return message.startsWith("Implicit map keys")
        ? { layer: "scanner", words: "could not find expected ':'", linesOn: 1 }
        : undefined;
    case "BAD_SCALAR_START":
      return { layer: "scanner", words: "found character that cannot start any token" };
    case "BAD_DQ_ESCAPE":
      return { layer: "scanner", words: "found unknown escape character" };
    case "MULTILINE_IMPLICIT_KEY":
      return { layer: "parser", words: "did not find expected key" };
    case "UNEXPECTED_TOKEN":
      return unexpected(text, message, offset);
    default:
      return undefined;
  }
}

function unclosed(text: string, message: string, offset: number): Wording {
  const close = message.startsWith("Flow map") ? "}" : "]";
  const wantsContent = close === "]" && /[[,]\s*$/.test(text.slice(0, offset)) && offset >= text.length;
  return {
    layer: "parser",
    words: wantsContent ? "did not find expected node content" : `did not find expected ',' or '${close}'`,
  };
}

function unexpected(text: string, message: string, offset: number): Wording | undefined {
  if (message.startsWith("Block scalar header"))
    return { layer: "scanner", words: "did not find expected comment or line break" };
  if (message.startsWith("Unexpected block-seq-ind on same line"))
    return { layer: "scanner", words: "block sequence entries are not allowed in this context" };
  if (/^Unexpected flow-(?:seq|map)-end/.test(message))
    return { layer: "parser", words: "did not find expected node content" };
  if (!message.startsWith("Unexpected scalar at node end")) return undefined;
  const isAfterItem = text.charAt(offset - 1) === "\n" && /^\s*- /.test(text);
  return { layer: "parser", words: isAfterItem ? "did not find expected '-' indicator" : "did not find expected key" };
}
