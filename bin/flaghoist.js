#!/usr/bin/env node
import { runTypeScript } from "./run.js";

runTypeScript("reconciler/cli/main.ts", process.argv.slice(2));
