// The category of a failure, from the message that kustomize prints: the words of the vectors' expected-error.txt.

/** The first that matches decides: messages of kustomize hold those of the attempts before. */
const CATEGORIES: readonly (readonly [RegExp, string])[] = [
  [/^panic: |\ngoroutine \d+ \[running\]/, "crash"],
  [/json: unknown field \\?"/, "unknown-field"],
  [/invalid Kustomization: |unable to parse open API definition/, "invalid-kustomization"],
  [/kustomization\.yaml is empty/, "empty-kustomization"],
  [/Found multiple kustomization files/, "multiple-kustomizations"],
  [
    /Failed to read kustomization file under|expected kind (?:!= )?'Component'|Unexpected kind: /,
    "wrong-kind-or-version",
  ],
  [/cycle detected: /, "cycle"],
  [/already registered id|produces ID conflict/, "duplicate-id"],
  [/namespace is blank for resource/, "reference"],
  [/unable to find one of 'kustomization\.yaml'/, "missing-kustomization"],
  [/security; file '/, "outside-root"],
  [/(?:: |")new root '.*' cannot be absolute/, "absolute-path"],
  [/is ambiguous: resolves to \\*"/, "ambiguous-path"],
  [/exists; can not use behavior|merging from generator .*: found multiple objects/, "generator-exists"],
  [/does not exist; cannot merge or replace/, "generator-missing-base"],
  [/found multiple possible referrals/, "reference"],
  [/merging vars|\bvar '.*' (?:already encountered|cannot be mapped)|specified in var '/, "var"],
  [
    /replacements must specify|nothing selected by |multiple matches for selector |target must specify resources/,
    "replacement",
  ],
  [
    /(?:path and inline|is missing for) replacement|unsupported replacement type|replacement (?:source|target)|delimiter option can only/,
    "replacement",
  ],
  [/options\.index \S+ is out of bounds|unable to find or create field|fieldPath .* is missing/, "replacement"],
  [/patch and path can't be set|must specify one of (?:patch and path|path or jsonOp|path and jsonOp)/, "patch-source"],
  [/empty file path and empty (?:jsonOp|patch content)|must specify a file path or jsonOp, not both/, "patch-source"],
  [/unable to parse SM or JSON patch|patch appears to be empty/, "patch-unparsable"],
  [/Multiple Strategic-Merge Patches/, "patch-multiple-with-target"],
  [/unknown patch strategy/, "patch-strategy"],
  [/must specify a target for JSON patch|must specify the target name|failed to find unique target/, "patch-no-target"],
  [
    /operation does not apply|operation failed to decode|error (?:in \w+ for (?:path|from)|while adding value during copy)|testing value .* failed|replace operation value must be/,
    "patch-operation",
  ],
  [/does not match a config with the following GVK/, "replica-target"],
  [/external plugins disabled|unable to load (?:builtin|external plugin)|find plugin root/, "plugin"],
  [/must specify --(?:enable-helm|helm-command)|wildcard is not supported in PathGetter/, "plugin"],
  [/HelmChartInflationGenerator with config|unable to run: '.* template |no repo specified for pull/, "plugin"],
  [/couldn't execute function|mount path '.*' is not permitted/, "plugin"],
  [/OpenAPI version is not built in|builtin version and custom schema provided/, "openapi"],
  [/the field 'sortOptions/, "sort-options"],
  [/error parsing regexp|unable to parse requirement/, "selector"],
  [/conflicting fieldspecs|cannot set or create an empty field name|expected sequence or mapping node/, "fieldspec"],
  [/wrong node kind: /, "node-kind"],
  [
    /json: unsupported (?:value|type)|control characters are not allowed|cannot decode !!\w+ [\s\S]* as a !!\w+/,
    "unrepresentable-value",
  ],
  // What the tool printed itself and cannot read.
  [/^Error: (?:map\[string\]interface .*)?yaml: (?!unmarshal)/s, "unrepresentable-value"],
  [
    /invalid document separator|missing (?:kind|metadata\.name) in object|missing Resource metadata|expected array in \w+.items|MalformedYAMLError|mapping key .* already defined/,
    "invalid-resource",
  ],
  [/failed to run '[^']*git |Get "https?:|git fetch/, "remote-refused"],
  // A text that begins with a tab and has several lines cannot be read again once it is written.
  [/found a tab character where an indentation space is expected/, "unrepresentable-value"],
  [/evalsymlink failure on|no such file or directory|new root cannot be empty/, "missing-file"],
  [/must build at directory: .*file is not directory/, "missing-directory"],
  // Of a base that was read the message says so as well; what went wrong there stands behind.
  [/' must resolve to a file(?!': recursed )|: is a directory$/m, "missing-file"],
  [/loading KV pairs: |illegally repeats the key|a (?:configmap|secret) must have a name/, "generator-data"],
  [/fails configuration: |not a (?:transformer|generator)\b|validator shouldn't modify/, "plugin"],
  [/cloud provider .* not supported|^Error: yaml: line \d+: /m, "plugin"],
  [/error (?:unmarshaling JSON|converting YAML to JSON): /, "invalid-kustomization"],
];

/** The category of what kustomize wrote to standard error when it failed; undefined for a message that is new here. */
export function errorCategory(standardError: string): string | undefined {
  const message = standardError
    .split("\n")
    .filter((line) => !line.startsWith("# Warning: ") && !line.startsWith("Flag --"))
    .join("\n");
  return CATEGORIES.find(([pattern]) => pattern.test(message))?.[1];
}
