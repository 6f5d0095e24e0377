/** As much of Redis's protocol (RESP 2) as tells commands and their answers apart. */
import type { Conversation, Request } from "./tcpDoor.ts";

const CONTAINERS = ["ACL", "CONFIG", "CLIENT"];

export function redisConversation(): Conversation {
  let isFirst = true;
  return {
    nextRequest(sent): Request | undefined {
      const command = readCommand(sent);
      if (!command) return undefined;
      const [name = "", sub = ""] = command.words.map((word) => word.toUpperCase());
      const bytes = sent.subarray(0, command.end);
      // A replica opens its link with PING, where a client that has a password logs in first.
      const isLink = isFirst && name === "PING";
      isFirst = false;
      return { bytes, operation: CONTAINERS.includes(name) ? `${name} ${sub}` : name, isLink };
    },
    endOfAnswer: (received) => endOfReply(received, 0),
  };
}

/** @returns its first two words; what follows them may be a password */
function readCommand(bytes: Buffer): { readonly words: readonly string[]; readonly end: number } | undefined {
  const end = endOfReply(bytes, 0);
  if (end === undefined) return undefined;
  const words: string[] = [];
  let at = lineAt(bytes, 0)?.next ?? end;
  while (at < end && words.length < 2) {
    const line = lineAt(bytes, at);
    if (!line) return undefined;
    words.push(bytes.toString("latin1", line.next, line.next + Number(line.text.slice(1))));
    at = endOfReply(bytes, at) ?? end;
  }
  return { words, end };
}

function lineAt(bytes: Buffer, from: number): { readonly text: string; readonly next: number } | undefined {
  const end = bytes.indexOf("\r\n", from);
  return end < 0 ? undefined : { text: bytes.toString("latin1", from, end), next: end + 2 };
}

function endOfReply(bytes: Buffer, from: number): number | undefined {
  const line = lineAt(bytes, from);
  if (!line) return undefined;
  const [kind, count] = [line.text[0], Number(line.text.slice(1))];
  if (kind === "$") {
    const end = count < 0 ? line.next : line.next + count + 2;
    return end <= bytes.length ? end : undefined;
  }
  if (kind !== "*") return line.next;
  let at: number | undefined = line.next;
  for (let item = 0; item < count && at !== undefined; item += 1) at = endOfReply(bytes, at);
  return at;
}
