/** At most `most` characters (`length`), the last of which is `…` where something was cut off; never half a character. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  if (most < 1) return "";
  const end = text.charCodeAt(most - 2);
  const splits = end >= 0xd800 && end <= 0xdbff;
  return `${text.slice(0, splits ? most - 2 : most - 1).trimEnd()}…`;
}

/** The most that all providers keep of a title. */
const MOST_TITLE = 255;

/** A title as every provider keeps it. */
export function titleOf(text: string): string {
  return cutText(oneLine(text), MOST_TITLE);
}

/** One line of printable characters. */
export function oneLine(text: string): string {
  return Array.from(text, (char) => (char < " " || char === "\u007f" ? " " : char))
    .join("")
    .replace(/ {2,}/g, " ")
    .trim();
}
