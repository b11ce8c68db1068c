import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KUBERNETES_FUNCTIONS } from "./kubernetes-functions.ts";
import { formatText } from "./libraries/string-format.ts";
import { CompileError, compile, type Evaluation, type Program } from "./program.ts";
import { type DataSchema, dataType, fieldTypesOf, sizeAtPath } from "./schema-types.ts";
import { formatType } from "./types.ts";
import { ArrayList, type CelList, typeNameOf } from "./values.ts";

interface Recorded {
  readonly expr: string;
  readonly refused?: string;
  readonly type?: string;
  readonly maxCost?: number;
  readonly cost?: number;
  readonly value?: string;
  readonly error?: string;
}

interface Recording {
  readonly schema: DataSchema;
  readonly self: unknown;
  readonly cases: readonly Recorded[];
}

/** What the libraries of kube-apiserver 1.36 answered to these expressions about one object. */
const recording = JSON.parse(readFileSync(join(import.meta.dirname, "testdata", "recorded.json"), "utf8")) as Recording;

function setUp(schema: DataSchema, self: unknown) {
  const type = dataType(schema)!;
  const environment = {
    functions: KUBERNETES_FUNCTIONS,
    variables: new Map([["self", type.typeAt("selfType")]]),
    fields: fieldTypesOf(type, "selfType"),
  };
  return { type, environment, variables: { self: type.view(self) } };
}

const recorded = setUp(recording.schema, recording.self);

function compiled(text: string, environment = recorded.environment): Program {
  const program = compile(text, environment);
  if (program instanceof CompileError) throw new Error(program.message);
  return program;
}

/** Types as declarations name them. */
function declaredName(program: Program): string {
  return formatType(program.type)
    .replace(/\bduration\b/g, "google.protobuf.Duration")
    .replace(/\btimestamp\b/g, "google.protobuf.Timestamp")
    .replace(/^null$/, "null_type");
}

function answer(recordedCase: Recorded): Recorded {
  const { expr } = recordedCase;
  const program = compile(expr, recorded.environment);
  if (program instanceof CompileError) return { expr, refused: program.message };
  const maxCost = program.estimateCost((path) => sizeAtPath(recorded.type, path));
  const base = { expr, type: declaredName(program), maxCost };
  const broken = program.instantiationError();
  if (broken !== undefined) return { ...base, error: `program ${broken}` };
  const result = program.evaluate(recorded.variables);
  if ("error" in result) return { ...base, error: result.error };
  const { value, cost } = result;
  // Values that have no text of their own are compared by type and cost only.
  if (recordedCase.value === undefined) return { ...base, cost };
  return { ...base, cost, value: `${typeNameOf(value)} ${formatText("%s", new ArrayList([value]))}` };
}

function evaluate(text: string, options = {}): Evaluation {
  return compiled(text).evaluate(recorded.variables, options);
}

describe("expressions", () => {
  it("are refused, typed, estimated and evaluated as recorded", () => {
    const answers = recording.cases.map(answer);

    expect(answers).toEqual(recording.cases);
  });

  it("are compiled once and evaluated often", () => {
    const program = compiled("self.n > 3");
    const other = recorded.type.view({ n: 2 });

    expect(program.evaluate(recorded.variables)).toEqual({ value: true, cost: 3 });
    expect(program.evaluate({ self: other })).toEqual({ value: false, cost: 3 });
  });

  it("tell which variables they read", () => {
    expect([...compiled("self.l.all(self, self > 0)").variables]).toEqual(["self"]);
    expect([...compiled("[1].all(x, x > 0)").variables]).toEqual([]);
  });
});

describe("limits", () => {
  const many = { l: Array.from({ length: 3000 }, (_, index) => index), a: "a".repeat(1_000_000) };
  const { variables } = setUp(recording.schema, many);

  it("end loops within loops by their cost", () => {
    const result = compiled("self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))").evaluate(variables);

    expect(result).toMatchObject({ error: "operation cancelled: actual cost limit exceeded", interrupted: true });
  });

  it("end expressions by time, asked for every hundred rounds", () => {
    let asked = 0;
    const isOver = () => ++asked === 3;

    const result = compiled("self.l.all(x, x >= 0)").evaluate(variables, { isOver });

    expect(result).toMatchObject({ error: "operation interrupted", interrupted: true });
    expect(asked).toBe(3);
  });

  it("count characters that are copied and compared", () => {
    const doubled = "self.a + self.a + self.a + self.a + self.a + self.a == ''";

    expect(compiled(doubled).evaluate(variables)).toMatchObject({ interrupted: true });
  });

  it("cannot be escaped by || after the end", () => {
    const result = compiled("self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0))) || true").evaluate(variables);

    expect(result).toMatchObject({ interrupted: true });
  });

  it("hold whatever the pattern", () => {
    const result = compiled("self.a.matches('(a*)*(a|aa)+(.*)*b')").evaluate(variables);

    expect(result).toMatchObject({ value: false });
  });

  it("end a search for all matches by time: each may read the text to its end", () => {
    let asked = 0;
    const isOver = () => ++asked === 5;

    const result = compiled("self.a.findAll('a(.*b)?').size() > 0").evaluate(variables, { isOver });

    expect(result).toMatchObject({ error: "operation interrupted", interrupted: true });
  });

  it("refuse expressions that nest, chain or grow too much", () => {
    const deep = `${"(".repeat(300)}1${")".repeat(300)}`;
    const long = `self${".a".repeat(300)}`;
    const doubling = `self.?a${".optMap(x, x)".repeat(20)}`;

    for (const text of [deep, long]) {
      expect(compile(text, recorded.environment)).toEqual(
        new CompileError("ERROR: <input>:-1:0: expression recursion limit exceeded: 250"),
      );
    }
    expect(compile(doubling, recorded.environment)).toBeInstanceOf(CompileError);
    expect(compile("1".repeat(200_000), recorded.environment)).toEqual(
      new CompileError("ERROR: <input>:-1:0: expression code point size exceeds limit: size: 200000, limit 100000"),
    );
  });

  it("let long chains of && pass", () => {
    const text = Array.from({ length: 2000 }, () => "self.b").join(" && ");

    expect(evaluate(text)).toMatchObject({ value: true });
  });
});

describe("lists that loops build", () => {
  it("are as long as what they are built of, without being copied each round", () => {
    const { variables } = setUp(recording.schema, { l: Array.from({ length: 20_000 }, (_, index) => index) });

    const result = compiled("self.l.map(x, x + 1).filter(x, x % 2 == 0)").evaluate(variables);

    expect("value" in result && (result.value as CelList).size).toBe(10_000);
  });

  it("become maps of any size", () => {
    const { variables } = setUp(recording.schema, { l: Array.from({ length: 5000 }, (_, index) => index) });

    const result = compiled("self.l.transformMapEntry(i, v, {v: i}).size()").evaluate(variables);

    expect(result).toMatchObject({ value: 5000n });
  });
});
