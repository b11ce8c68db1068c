// node test/e2e/clients/record.ts SCRIPT [--server KUBECONFIG] [--out FILE]
//
// Runs testdata/SCRIPT/script.sh against a real server and writes the transcript that tests compare the embedded one with.
// Without --server it starts one from the binaries in $KUBEBUILDER_ASSETS; a server that is given must be as empty, and have
// the same controllers and admission: see reference-server.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { findKubeAssets } from "../support/real-api-server.ts";
import { runScript } from "./command-script.ts";
import { readClientVersion, recordingPath } from "./recordings.ts";
import { startReferenceServer } from "./reference-server.ts";
import { formatExchange } from "./transcript.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { server: { type: "string" }, out: { type: "string" } },
});
const [script] = positionals;
const assets = findKubeAssets();
if (script === undefined || (values.server === undefined && assets === undefined)) {
  process.stderr.write(
    "usage: node test/e2e/clients/record.ts SCRIPT [--server KUBECONFIG] [--out FILE]\n" +
      "without --server, set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager\n",
  );
  process.exit(2);
}
const path = assets === undefined ? [] : [assets];
const client = readClientVersion(script, path);
if (client === undefined) {
  process.stderr.write(`${script} is neither on the path nor in $KUBEBUILDER_ASSETS\n`);
  process.exit(1);
}
const reference = values.server === undefined ? await startReferenceServer(assets!) : undefined;
try {
  const kubeconfig = values.server ?? reference!.kubeconfig;
  const exchanges = await runScript({ folder: join(import.meta.dirname, "testdata", script), kubeconfig, path });
  const file = values.out ?? recordingPath(script, client);
  mkdirSync(dirname(file), { recursive: true });
  const head = `What ${script} ${client} says of a real API server. Made by record.ts; not edited by hand.\n\n`;
  writeFileSync(file, head + exchanges.map(formatExchange).join("\n"));
  process.stdout.write(`recorded ${exchanges.length} commands in ${file}\n`);
} finally {
  await reference?.close();
}
