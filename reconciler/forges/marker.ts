// The line nobody sees by which we find our own comments and issues again.
import { forgeCommentTooLong } from "./errors.ts";
import type { ForgeLimits } from "./forge.ts";

/** Starts every marker, so that people who read the source of a comment know whose it is. */
const PREFIX = "flaghoist";

/**
 * The hidden line for `id`, such as `plan shop/apps`. Ids that differ give lines that differ, whatever is in them, and
 * none can end the comment it stands in.
 */
export function markerLine(hidden: ForgeLimits["markdown"]["hidden"], id: string): string {
  const name = `${PREFIX}:${escapeId(id)}`;
  return hidden === "html comment" ? `<!-- ${name} -->` : `[//]: # (${name})`;
}

// encodeURIComponent leaves - ( ) and others; two dashes would end a comment of HTML, brackets a definition of a link.
function escapeId(id: string): string {
  return encodeURIComponent(id.toWellFormed()).replace(/[-()!*'_.~]/g, (char) => {
    if (char === "_" || char === ".") return char;
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** The body with its marker, which comes first: whatever is cut off or is wrong behind it, it is found. */
export function withMarker(hidden: ForgeLimits["markdown"]["hidden"], id: string, body: string): string {
  return `${markerLine(hidden, id)}\n\n${body}`;
}

/** The body with its marker. Throws `forge-comment-too-long` when that is more than the provider takes. */
export function markedBody(limits: ForgeLimits, id: string, body: string, where: string): string {
  const whole = withMarker(limits.markdown.hidden, id, body);
  const { size: most, unit } = limits.comment;
  const size = sizeOf(limits, whole);
  if (size > most) throw forgeCommentTooLong(where, size, most, unit);
  return whole;
}

/** Whether it is the first line of the body: content further down may hold markers, and means nothing. */
export function hasMarker(body: string, hidden: ForgeLimits["markdown"]["hidden"], id: string): boolean {
  return body.trimStart().split(/\r?\n/, 1)[0]?.trim() === markerLine(hidden, id);
}

/** What remains for the body of a comment or issue beside the marker, in the provider's unit. */
export function commentRoom(limits: ForgeLimits, id: string): number {
  return Math.max(0, limits.comment.size - sizeOf(limits, withMarker(limits.markdown.hidden, id, "")));
}

/** The size of a text as the provider counts it. */
export function sizeOf(limits: ForgeLimits, text: string): number {
  return limits.comment.unit === "bytes" ? Buffer.byteLength(text) : text.length;
}

/** Whether two bodies are the same to a provider, which may change line ends and what surrounds the text. */
export function isSameBody(a: string, b: string): boolean {
  return normal(a) === normal(b);
}

function normal(body: string): string {
  return body.replace(/\r\n?/g, "\n").trim();
}
