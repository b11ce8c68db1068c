// Writes objects without end and prints each name once the write was acknowledged. The crash test kills it.
import { systemClock } from "../../../../runtime/clock.ts";
import { silentLogger } from "../../../../runtime/logger.ts";
import { createApiServer } from "../../server.ts";

const server = await createApiServer({
  name: "writer",
  clock: systemClock,
  logger: silentLogger,
  database: process.argv[2]!,
});

async function writeFrom(start: number): Promise<never> {
  for (let index = start; ; index += 4) {
    const name = `w${process.pid}-${index}`;
    const answer = await server.handle({
      method: "POST",
      path: "/api/v1/namespaces/default/configmaps",
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { index: String(index) } },
    });
    if (answer.status === 201) process.stdout.write(`${name}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(writeFrom));
