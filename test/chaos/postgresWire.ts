/**
 * As much of PostgreSQL's protocol (version 3) as tells requests and their answers apart: the two halves of a login, a
 * simple query, and an extended query up to its Sync.
 */
import type { Conversation, Request } from "./tcpDoor.ts";

interface Message {
  readonly type: string;
  readonly body: Buffer;
  readonly end: number;
}

export function postgresConversation(): Conversation {
  let isBegun = false;
  let isLoggedIn = false;
  return {
    nextRequest(sent): Request | undefined {
      if (!isBegun) {
        // The first message has no type.
        if (sent.length < 4 || sent.length < sent.readInt32BE(0)) return undefined;
        isBegun = true;
        return { bytes: sent.subarray(0, sent.readInt32BE(0)), operation: "startup" };
      }
      let name = "";
      for (let at = 0; ; ) {
        const message = messageAt(sent, at);
        if (!message) return undefined;
        at = message.end;
        const bytes = sent.subarray(0, at);
        if (message.type === "P") name = wordsOf(afterName(message.body));
        if (message.type === "Q") return { bytes, operation: wordsOf(message.body) };
        if (message.type === "S") return { bytes, operation: name };
        if (message.type === "p") return { bytes, operation: "login" };
        if (message.type === "X") return { bytes };
      }
    },
    endOfAnswer(received) {
      for (let at = 0; ; ) {
        const message = messageAt(received, at);
        if (!message) return undefined;
        at = message.end;
        const { type, body } = message;
        if (type === "Z") {
          isLoggedIn = true;
          return at;
        }
        // While logging in: a refusal, or the server's next step, which is everything but "authenticated".
        if (!isLoggedIn && (type === "E" || (type === "R" && [10, 11].includes(body.readInt32BE(0)))))
          return at;
      }
    },
  };
}

function messageAt(bytes: Buffer, at: number): Message | undefined {
  if (bytes.length < at + 5) return undefined;
  const end = at + 1 + bytes.readInt32BE(at + 1);
  if (bytes.length < end) return undefined;
  return { type: String.fromCharCode(bytes[at] ?? 0), body: bytes.subarray(at + 5, end), end };
}

/** A Parse message gives the statement's own name first. */
const afterName = (body: Buffer) => body.subarray(body.indexOf(0) + 1);

/** The first two words: what comes after them may be a verifier. */
function wordsOf(sql: Buffer): string {
  return sql.toString("latin1", 0, 80).toLowerCase().match(/\w+/g)?.slice(0, 2).join(" ") ?? "";
}
