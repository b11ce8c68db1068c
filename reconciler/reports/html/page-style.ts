// How a page looks, on a phone and on a desk, by day, by night and on paper.

/** The style sheet. Nothing in it asks for anything from anywhere. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --card: #f6f7f9; --ink: #1c2128; --soft: #57606a; --line: #d4d9df; --link: #0a58c2;
  --good: #116a2c; --good-bg: #dff5e3; --bad: #b01623; --bad-bg: #fde6e7; --warn: #7a4b00; --warn-bg: #fdf0d0;
  --was: #9aa4b0; --is: #2f6fde;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --card: #1c2229; --ink: #e3e8ee; --soft: #9da8b5; --line: #363f49; --link: #7ab0ff;
    --good: #7fdc98; --good-bg: #14341f; --bad: #ff9a9d; --bad-bg: #44191d; --warn: #f2c56b; --warn-bg: #3d2f0f;
    --was: #64707d; --is: #6ea2ff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem clamp(.8rem, 4vw, 2.5rem) 3rem; max-width: 68rem;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere;
}
h1 { font-size: clamp(1.25rem, 4.5vw, 1.7rem); line-height: 1.25; margin: .4rem 0 .6rem; text-wrap: balance; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
a { color: var(--link); }
a:not(:hover) { text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .9em; unicode-bidi: isolate; }
.t { unicode-bidi: isolate; }
small, .small { color: var(--soft); font-size: .86em; }
ul { margin: .4rem 0; padding-left: 1.25rem; }
li { margin: .3rem 0; }
.kind { color: var(--soft); margin: 0; font-size: .9rem; }
.subject { color: var(--soft); margin: 0 0 .8rem; }
.subject code { color: var(--ink); }
.badge {
  display: inline-block; padding: 0 .5em; border-radius: 1em; font-size: .84em; font-weight: 600; white-space: nowrap;
  border: 1px solid currentColor;
}
.error { color: var(--bad); background: var(--bad-bg); }
.warning { color: var(--warn); background: var(--warn-bg); }
.good { color: var(--good); background: var(--good-bg); }
.notice { color: var(--soft); background: var(--card); }
.alert { margin: .8rem 0; padding: .6rem .9rem; border-left: 4px solid currentColor; border-radius: 4px; }
.alert > * { color: var(--ink); }
.advice { display: block; }
.figures { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; padding: 0; }
.figures li { margin: 0; padding: .3rem .7rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.figures b { font-size: 1.15em; font-variant-numeric: tabular-nums; }
.figures .error, .figures .warning { border-color: currentColor; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; margin: .8rem 0; padding: 0; }
nav li { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
td { min-width: 4.8rem; }
thead th { overflow-wrap: normal; color: var(--soft); font-size: .86em; font-weight: 600; }
tbody th { font-weight: 400; }
th.right, td.right { text-align: right; white-space: nowrap; }
td.idle { color: var(--soft); }
tr.worse { background: color-mix(in srgb, var(--bad-bg) 45%, transparent); }
.path { display: block; }
.bars { display: block; margin-top: .3rem; max-width: 100%; }
.bars .was { fill: var(--was); }
.bars .is { fill: var(--is); }
details { margin: .4rem 0; }
summary { cursor: pointer; padding: .2rem 0; }
.changes > details { border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.changes > details > summary { padding: .5rem .8rem; }
.changes > details > .body { padding: 0 .8rem .6rem; }
details.names { display: inline-block; margin: 0; vertical-align: top; }
details.names > summary { padding: 0; }
.where { margin: .8rem 0 .2rem; }
.sign { display: inline-block; width: 1.2em; font-weight: 700; text-align: center; }
.sign.created, i.new { color: var(--good); }
.sign.deleted, i.old { color: var(--bad); }
.sign.changed { color: var(--warn); }
i { font-style: normal; }
pre {
  margin: .3rem 0; padding: .5rem 0; font-size: .84rem; line-height: 1.45; background: var(--paper);
  border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; tab-size: 4;
}
pre > * { display: block; padding: 0 .7rem 0 1.9rem; text-indent: -1.2rem; text-decoration: none; unicode-bidi: plaintext; min-height: 1.45em; }
pre ins { color: var(--good); background: var(--good-bg); }
pre del { color: var(--bad); background: var(--bad-bg); }
pre .at { color: var(--soft); }
pre b { color: var(--soft); }
.by { margin: .2rem 0 .8rem; font-size: .86em; color: var(--soft); }
ul.by { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.2rem; }
.by li { margin: 0; }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .86rem; }
button {
  font: inherit; font-size: .9rem; color: var(--link); background: none; border: 1px solid var(--line); border-radius: 6px;
  padding: .2rem .7rem; cursor: pointer;
}
@media (max-width: 40rem) {
  body { padding-top: 1rem; }
  .figures { gap: .35rem; font-size: .92rem; }
  .figures li { padding: .15rem .55rem; }
  nav ul { gap: .35rem 1rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tbody tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  tbody tr.worse { margin: 0 -.4rem; padding: .4rem; }
  tbody th { flex: 1 0 100%; }
  th, td { border: 0; padding: 0; min-width: 0; max-width: 100%; }
  td.right { white-space: normal; }
  td.idle { display: none; }
  td[data-title]::before { content: attr(data-title) " "; color: var(--soft); font-size: .86em; }
  td:has(> .bars) { flex: 1 0 100%; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, button { display: none; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  summary { list-style: none; }
  h2, h3, summary { break-after: avoid; }
  tr, pre { break-inside: avoid-page; }
}
`;
