#!/usr/bin/env node
import { canRunTypeScript, importTypeScript, runTypeScript } from "./run.js";

const MAIN = "reconciler/cli/main.ts";
// These end at once: on a Node that is new enough they need no process of their own with other settings.
const BRIEF = new Set(["completion", "render", "version"]);

const args = process.argv.slice(2);
if (canRunTypeScript() && BRIEF.has(args[0] ?? "")) await (await importTypeScript(MAIN)).main(args);
else runTypeScript(MAIN, args);
