// A page of one file: nothing in it asks for anything from anywhere, and nothing but our own style and script works in it.
import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** The page says everything without it: it opens what is folded, all at once, for paper, or where a link leads. */
const PAGE_SCRIPT = `
const all = (open) => { for (const one of document.querySelectorAll("details")) one.open = open; };
const follow = () => { const to = location.hash === "" ? null : document.getElementById(location.hash.slice(1)); if (to?.tagName === "DETAILS") to.open = true; };
const button = document.getElementById("unfold");
if (button !== null) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    all(open);
  });
}
addEventListener("hashchange", follow);
follow();
`;

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(PAGE_STYLE)}`,
  `script-src ${hashOf(PAGE_SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** A whole document with our style and script. */
export function pageHtml(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
${body}
<script>${new Html(PAGE_SCRIPT)}</script>
</body>
</html>
`.source;
}
