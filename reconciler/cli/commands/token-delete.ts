import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type Command, EXIT, type ExitCode, type Invocation, SERVER_OPTIONS, UsageError } from "../command.ts";
import { withControlPlane } from "../connect.ts";

export const tokenDeleteCommand: Command = {
  name: "token delete",
  summary: "end tokens by which clusters can register themselves",
  usage: "TOKEN...",
  description: "A token is named whole, or by its first six letters. Clusters that have registered by it stay.",
  options: { ...SERVER_OPTIONS },
  examples: [["token delete abcdef", "by its id"]],
  run: (invocation) => withControlPlane(invocation, ({ client }) => deleteTokens(invocation, client)),
};

async function deleteTokens(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  if (invocation.positionals.length === 0) throw new UsageError("which token? Its id is its first six letters");
  const ids = invocation.positionals.map((text) => {
    const [, id] = /^([a-z0-9]{6})(?:\.[a-z0-9]{16})?$/.exec(text) ?? [];
    // Not repeated: it may be a token with a slip of the pen.
    if (id === undefined) throw new UsageError("a token has the form abcdef.0123456789abcdef, its id that of abcdef");
    return id;
  });
  for (const id of ids) {
    const ref = { apiVersion: "v1", kind: "Secret", namespace: "kube-system", name: `bootstrap-token-${id}` };
    if ((await client.find(ref)) === undefined)
      throw new AppError("token-unknown", `there is no token ${id}`, { recovery: "stall" });
    await client.delete(ref);
    invocation.io.out(`bootstrap token "${id}" deleted\n`);
  }
  return EXIT.ok;
}
