// A connection on which a test writes what no client would.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawConnection {
  readonly socket: Socket;
  /** What has come, as soon as it has these words so many times. */
  until(words: string, times?: number): Promise<string>;
  /** What had come by the time the other end closed it. */
  readonly closed: Promise<string>;
}

export async function openRawConnection(url: string): Promise<RawConnection> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  // A reset is an end as well.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  await once(socket, "connect");
  return {
    socket,
    closed,
    until: async (words, times = 1) => {
      while (text.split(words).length <= times)
        await Promise.race([once(socket, "data"), failWhenClosed(closed, words)]);
      return text;
    },
  };
}

async function failWhenClosed(closed: Promise<string>, words: string): Promise<never> {
  throw new Error(`closed before ${JSON.stringify(words)} came: ${await closed}`);
}
