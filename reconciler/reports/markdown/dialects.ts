// What the hosts of repositories make of Markdown, as far as a report has to know.

export type DialectName = "github" | "gitlab" | "gitea" | "bitbucket-cloud" | "bitbucket-data-center" | "azure-devops";

export interface Dialect {
  readonly name: DialectName;
  /** Whether tags mean something; otherwise they are shown as text. */
  readonly html: boolean;
  /** Whether `> [!WARNING]` is a coloured box. */
  readonly alerts: boolean;
  /** What stands for a pipe in a code span of a table's cell. */
  readonly cellPipe: string;
  /** What a comment holds. */
  readonly limit: { readonly size: number; readonly unit: "characters" | "bytes" };
}

const COMMON_MARK = { html: true, alerts: false, cellPipe: "\\|" };
// Bitbucket Cloud renders with Python-Markdown, in whose code spans a backslash before a pipe stays; Data Center escapes
// all HTML.
const WITHOUT_HTML = { html: false, alerts: false, cellPipe: "│" };

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  github: { ...COMMON_MARK, name: "github", alerts: true, limit: { size: 65_536, unit: "characters" } },
  // GitLab knows alerts since 17.10; before, the mark would be shown as text.
  gitlab: { ...COMMON_MARK, name: "gitlab", limit: { size: 1_000_000, unit: "characters" } },
  gitea: { ...COMMON_MARK, name: "gitea", alerts: true, limit: { size: 65_536, unit: "bytes" } },
  "bitbucket-cloud": { ...WITHOUT_HTML, name: "bitbucket-cloud", limit: { size: 32_768, unit: "characters" } },
  "bitbucket-data-center": {
    ...WITHOUT_HTML,
    name: "bitbucket-data-center",
    limit: { size: 32_768, unit: "characters" },
  },
  "azure-devops": { ...COMMON_MARK, name: "azure-devops", limit: { size: 150_000, unit: "characters" } },
};
