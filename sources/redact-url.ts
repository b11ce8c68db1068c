/**
 * The URL without user name, password, query and fragment, fit for messages, logs and events. Text that is no URL
 * loses everything between a scheme or its start and an `@`.
 */
export function redactUrl(text: string): string {
  const clean = clip(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(clean)) {
    try {
      const url = new URL(clean);
      const user = url.protocol === "ssh:" && url.username !== "" ? `${url.username}@` : "";
      return `${url.protocol}//${user}${url.host}${url.pathname}`;
    } catch {
      // Not parseable, but it may still carry a password.
    }
  }
  const scp = /^([\w.-]+)@([\w.-]+):(?!\/\/)([^@]*)$/.exec(clean);
  if (scp !== null) return clean;
  return clean.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, "$1").replace(/[?#].*$/, "");
}

function clip(text: string): string {
  const printable = Array.from(text.slice(0, 500), (char) => (char < " " || char === "\u007f" ? "?" : char));
  return printable.join("");
}
