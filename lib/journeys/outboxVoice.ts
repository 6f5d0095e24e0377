/** An incident's voice: what it says is written into its thread's outbox, from where it is brought to the channel once. */
import type { Voice } from "../incident/voice.ts";
import { type SayPorts, say } from "./say.ts";

export function outboxVoice(ports: SayPorts): Voice {
  return {
    say: (said) => say(ports, said),
    async shown(threadId, key) {
      const thread = await ports.outbox.read(threadId);
      const post = thread?.posts.find((one) => one.key === key);
      return post && (post.ts === undefined ? "waiting" : { as: post.ts });
    },
  };
}
