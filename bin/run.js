#!/usr/bin/env node
// Runs a TypeScript file of this project on the pinned Node, whatever Node started this file.
// Plain JavaScript on purpose: it must load on Node 20, which cannot read TypeScript.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// This program keeps state for long: an old generation that grows by less before it is collected holds less garbage. A young
// one of 16 MB takes in what a write makes; of 4 MB it costs a fifth of the time of applying much, for hardly less memory.
const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=16", "--heap-growing-percent=30"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules", ".cache", "node");

/** Whether the running Node is new enough. */
export function canRunTypeScript() {
  const [major] = process.versions.node.split(".").map(Number);
  return major >= 26;
}

/** Loads `file` (a path inside the checkout) into this process, for a Node that `canRunTypeScript`. */
export function importTypeScript(file) {
  module.enableCompileCache(COMPILE_CACHE);
  return import(pathToFileURL(join(root, file)).href);
}

/** The pinned Node of this checkout, or the running one when it is new enough; exits with advice when neither is. */
export function findNode() {
  if (canRunTypeScript()) return process.execPath;
  const pinned = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(pinned)) return pinned;
  process.stderr.write(
    `flaghoist needs Node 26; this is Node ${process.versions.node} and the pinned one is not installed.\n` +
      "Run 'npm ci' (with install scripts allowed), or use Node 26 or newer.\n",
  );
  process.exit(1);
}

/** Hands this process over to `file` (a path inside the checkout): same standard streams, signals and exit code. */
export function runTypeScript(file, args) {
  const child = spawn(findNode(), NODE_OPTIONS.concat(join(root, file), args), {
    stdio: "inherit",
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`cannot start ${file}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) {
    process.stderr.write("usage: node bin/run.js FILE.ts [ARGUMENT...]\n");
    process.exit(2);
  }
  runTypeScript(file, args);
}
