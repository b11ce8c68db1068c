/**
 * The text up to the end of its first YAML document.
 *
 * As kustomize: a kustomization or configuration file means its first document, even an empty one, and what comes
 * after it is not even read.
 */
export function firstDocument(text: string): string {
  let hasBegun = false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const next = end < 0 ? text.length : end + 1;
    if (isMarker(text, at, "---")) {
      if (hasBegun) return text.slice(0, at);
      hasBegun = true;
    } else if (isMarker(text, at, "...")) {
      if (hasBegun) return text.slice(0, at);
    } else if (!hasBegun) {
      const first = firstOf(text, at, next);
      hasBegun = first !== "" && first !== "#" && !(first === "%" && text[at] === "%");
    }
    at = next;
  }
  return text;
}

function isMarker(text: string, at: number, marker: string): boolean {
  if (!text.startsWith(marker, at)) return false;
  const after = text[at + 3];
  return after === undefined || after === " " || after === "\t" || after === "\n" || after === "\r";
}

function firstOf(text: string, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    const char = text[at]!;
    if (char !== " " && char !== "\t" && char !== "\r" && char !== "\n") return char;
  }
  return "";
}
