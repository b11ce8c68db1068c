// What Kubernetes accepts as a name, a label key or a label value, with the sentences it refuses others with.

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;

const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035_PATTERN = new RegExp(`^${LABEL_1035}$`);
const LABEL_PATTERN = new RegExp(`^${LABEL}$`);
const SUBDOMAIN_PATTERN = new RegExp(`^${SUBDOMAIN}$`);
const QUALIFIED_NAME_PATTERN = new RegExp(`^${QUALIFIED_NAME}$`);
const LABEL_VALUE_PATTERN = new RegExp(`^${LABEL_VALUE}$`);

const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** Problems of a DNS label (RFC 1123, 63 bytes): none when the list is empty. */
export function checkDnsLabel(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push(tooLong(63));
  if (!LABEL_PATTERN.test(value)) {
    problems.push(
      pattern(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        LABEL,
        ["my-name", "123-abc"],
      ),
    );
  }
  return problems;
}

/** Problems of a DNS subdomain (RFC 1123, 253 bytes). */
export function checkDnsSubdomain(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 253) problems.push(tooLong(253));
  if (!SUBDOMAIN_PATTERN.test(value)) {
    problems.push(
      pattern(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        ["example.com"],
      ),
    );
  }
  return problems;
}

const QUALIFIED_NAME_RULE = pattern(NAME_RULE, QUALIFIED_NAME, ["MyName", "my.name", "123-abc"]);

/** Problems of a DNS label that starts with a letter (RFC 1035, 63 bytes). */
export function checkDns1035Label(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push(tooLong(63));
  if (!LABEL_1035_PATTERN.test(value)) {
    problems.push(
      pattern(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        LABEL_1035,
        ["my-name", "abc-123"],
      ),
    );
  }
  return problems;
}

/** Problems of a label or annotation key: `name` or `prefix/name`. */
export function checkQualifiedName(value: string): string[] {
  const slash = value.indexOf("/");
  if (slash !== value.lastIndexOf("/")) {
    return [
      `a valid label key ${QUALIFIED_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  if (slash === 0) problems.push("prefix part must be non-empty");
  else if (slash > 0) {
    for (const problem of checkDnsSubdomain(value.slice(0, slash))) problems.push(`prefix part ${problem}`);
  }
  const name = value.slice(slash + 1);
  if (name === "") problems.push("name part must be non-empty");
  else if (name.length > 63) problems.push(`name part ${tooLong(63)}`);
  if (!QUALIFIED_NAME_PATTERN.test(name)) problems.push(`name part ${QUALIFIED_NAME_RULE}`);
  return problems;
}

/** Problems of a label value: empty, or at most 63 bytes of the characters of a name. */
export function checkLabelValue(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push(tooLong(63));
  if (!LABEL_VALUE_PATTERN.test(value)) {
    problems.push(
      pattern(`a valid label must be an empty string or ${NAME_RULE.slice("must ".length)}`, LABEL_VALUE, [
        "MyValue",
        "my_value",
        "12345",
      ]),
    );
  }
  return problems;
}

function tooLong(limit: number): string {
  return `must be no more than ${limit} bytes`;
}

function pattern(rule: string, expression: string, examples: readonly string[]): string {
  // The two spaces before each further example are Kubernetes' own.
  const list = examples.map((example) => `'${example}', `).join(" or ");
  return `${rule} (e.g. ${list}regex used for validation is '${expression}')`;
}
