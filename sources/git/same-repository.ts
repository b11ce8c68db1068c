// Whether two addresses mean one repository.

/** However they are written: by https or ssh, with a user or without, with `.git` at the end or without. */
export function isSameRepository(a: string, b: string): boolean {
  return plainAddress(a) === plainAddress(b);
}

function plainAddress(url: string): string {
  const short = /^(?:[^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(url);
  const parts = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^/]*)\/*(.*)$/i.exec(url);
  const [host = "", path = ""] = parts === null ? (short?.slice(1) ?? ["", url]) : parts.slice(1);
  // A port belongs to the way there, which differs between https and ssh.
  return `${host.toLowerCase().replace(/:[0-9]+$/, "")}/${path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "")}`;
}
