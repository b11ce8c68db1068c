// What `flaghoist up` keeps in its data folder, by name.
import { join } from "node:path";

/** The store's file. */
export function databaseIn(dataFolder: string): string {
  return join(dataFolder, "store.db");
}

/** The folder of the authority and the certificates. */
export function certificatesIn(dataFolder: string): string {
  return join(dataFolder, "pki");
}
