import { resolve } from "node:path";
import { type BackupSummary, writeBackup } from "../../../fleets/apiserver/storage/backup.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { table } from "../../reports/table.ts";
import { booleanOption, type Command, DATA_OPTION, EXIT, OUTPUT_OPTION, UsageError } from "../command.ts";
import { dataFolderOf } from "../connect.ts";
import { print } from "../output.ts";

export const backupCommand: Command = {
  name: "backup",
  summary: "write the embedded store to one file",
  usage: "FILE [--data FOLDER] [--force]",
  description:
    "Writes everything that a restore needs to one file, also while 'flaghoist up' runs: all objects as they are at one revision, the key that signs ServiceAccount tokens, and the certificates, so that clients go on trusting the restored server. The file is read back before it takes its name. It holds secrets and private keys: it is readable to its owner only, and is to be kept as safe as the data folder. With 'up --store' the state is in that API server, and is backed up there.",
  options: {
    ...DATA_OPTION,
    force: { type: "boolean", help: "replace FILE when it exists" },
    ...OUTPUT_OPTION,
  },
  examples: [
    ["backup flaghoist.backup", "of ./.flaghoist"],
    ["backup /srv/backup/daily --data /var/lib/flaghoist --force", "over yesterday's"],
  ],
  run: async (invocation) => {
    const [file, ...more] = invocation.positionals;
    if (file === undefined || more.length > 0) throw new UsageError("backup to where? One file");
    const summary = writeBackup(dataFolderOf(invocation), resolve(invocation.io.cwd, file), {
      force: booleanOption(invocation, "force"),
      nowMs: systemClock.now(),
    });
    print(invocation, summary, () => `Wrote and read back ${summary.file}\n${backupTable(summary)}`);
    return EXIT.ok;
  },
};

/** What a backup holds, for people. */
export function backupTable(backup: BackupSummary): string {
  return table([
    ...(backup.taken === undefined ? [] : [["  taken", backup.taken]]),
    ["  revision", String(backup.revision)],
    ["  objects", String(backup.objects)],
    ["  bytes", String(backup.bytes)],
    [
      "  certificates",
      backup.certificates.length === 0 ? "none" : `${backup.certificates.length} files, keys included`,
    ],
    ...(backup.sha256 === undefined ? [] : [["  sha256", backup.sha256]]),
  ]);
}
