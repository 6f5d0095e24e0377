import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pageOf, withNote } from "../../lib/incident/fallback.ts";
import { type Post, type Priority, readThread, type Thread, want } from "../../lib/incident/outbox.ts";
import {
  afterFailedFallback,
  afterFallback,
  afterLook,
  afterSend,
} from "../../lib/incident/outboxOutcomes.ts";
import { begin, nextStep, PACE, release, take } from "../../lib/incident/outboxSteps.ts";
import { messageOf, section } from "../../lib/message.ts";

const START = Date.parse("2026-11-25T10:00:00Z");
/** Seconds after the beginning. */
const at = (seconds: number) => new Date(START + seconds * 1000);
const says = (text: string) => messageOf(text, [section(text)]);

function said(texts: readonly string[], priority: Priority = "P3"): Thread {
  return texts.reduce<Thread | undefined>(
    (thread, text, index) =>
      want(
        thread,
        { threadId: "incident-1", key: text, message: says(text), priority },
        { sendId: `send-${index}`, mark: `mark-${index}` },
        at(0),
      ),
    undefined,
  ) as Thread;
}

const edited = (thread: Thread, key: string, text: string, seconds: number): Thread =>
  want(
    thread,
    { threadId: "incident-1", key, message: says(text), priority: thread.priority },
    { sendId: "unused", mark: `mark ${text}` },
    at(seconds),
  );

const postOf = (thread: Thread, key: string): Post => {
  const post = thread.posts.find((one) => one.key === key);
  if (!post) throw new Error(`no post ${key}`);
  return post;
};

let ids = 0;
const clock = (seconds: number) => ({ now: at(seconds), pace: PACE, newId: () => `new-${++ids}` });

/** Takes the thread, does its next step, which must be this one, and leaves the outcome to the caller. */
function attempt(thread: Thread, expected: "post" | "edit" | "look", key: string, seconds: number) {
  const taken = take(thread, "sender", at(seconds), PACE);
  if (!taken) throw new Error("another sender has it");
  const step = nextStep(taken, at(seconds), PACE);
  expect(step).toMatchObject({ do: expected, post: { key } });
  const id = `attempt-${++ids}`;
  return { begun: expected === "look" ? taken : begin(taken, postOf(taken, key), id, at(seconds)), id };
}

function sent(thread: Thread, key: string, ts: string, seconds: number): Thread {
  const { begun, id } = attempt(thread, postOf(thread, key).ts ? "edit" : "post", key, seconds);
  return release(afterSend(begun, id, { is: "sent", ts }, clock(seconds)));
}

describe("the order", () => {
  test("a reply waits for the headline, and each for the one before it", () => {
    const thread = said(["headline", "first", "second"]);
    expect(nextStep(thread, at(0), PACE)).toMatchObject({ do: "post", post: { key: "headline" } });
    const up = sent(thread, "headline", "1.000001", 0);
    expect(nextStep(up, at(0), PACE)).toMatchObject({ do: "post", post: { key: "first" } });
    const { begun, id } = attempt(up, "post", "first", 1);
    const lost = release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(1)));
    // Of the first nobody knows whether it stands there; the second could come before it.
    expect(nextStep(lost, at(2), PACE)).toEqual({ do: "wait", until: at(11) });
  });

  test("an edit of what stands there does not wait for a reply that cannot be posted", () => {
    const up = sent(said(["headline", "first"]), "headline", "1.000001", 0);
    const { begun, id } = attempt(up, "post", "first", 1);
    const lost = release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(1)));
    expect(nextStep(edited(lost, "headline", "contained", 2), at(2), PACE)).toMatchObject({
      do: "edit",
      post: { key: "headline" },
    });
  });
});

describe("a send of which nobody knows how it ended", () => {
  const unknown = () => {
    const { begun, id } = attempt(said(["headline"]), "post", "headline", 0);
    return release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(2)));
  };

  test("is looked for before it is sent again, and not before it had time to show", () => {
    expect(postOf(unknown(), "headline").state).toBe("unknown");
    expect(nextStep(unknown(), at(11), PACE)).toEqual({ do: "wait", until: at(12) });
    expect(nextStep(unknown(), at(12), PACE)).toMatchObject({ do: "look", post: { key: "headline" } });
  });

  test("and stands there is sent; and is not there is sent again", () => {
    const thread = unknown();
    const id = postOf(thread, "headline").attempt?.id ?? "";
    const found = afterLook(thread, id, { is: "found", ts: "1.000001" }, clock(10));
    expect(postOf(found, "headline")).toMatchObject({ state: "sent", ts: "1.000001", shown: 1 });
    const absent = afterLook(thread, id, { is: "absent" }, clock(10));
    expect(nextStep(absent, at(10), PACE)).toMatchObject({ do: "post", post: { sendId: "send-0" } });
  });

  test("by a sender that stood still before it sent has its time from when it was given up", () => {
    const { begun, id } = attempt(said(["headline"]), "post", "headline", 0);
    const lost = release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(19)));
    expect(nextStep(lost, at(28), PACE)).toEqual({ do: "wait", until: at(29) });
  });

  test("stays unknown while nobody can look, and is never sent blindly", () => {
    const thread = unknown();
    const id = postOf(thread, "headline").attempt?.id ?? "";
    const later = afterLook(thread, id, { is: "unanswered", reason: "timeout" }, clock(10));
    expect(postOf(later, "headline").state).toBe("unknown");
    expect(nextStep(later, at(60), PACE).do).toBe("look");
  });

  test("is what a crash leaves behind, once its sender's lease has run out", () => {
    const { begun } = attempt(said(["headline"]), "post", "headline", 0);
    expect(take(begun, "other", at(29), PACE)).toBeUndefined();
    const taken = take(begun, "other", at(30), PACE);
    expect(taken?.posts[0]?.state).toBe("unknown");
    expect(taken?.lease).toEqual({ holder: "other", until: at(60).toISOString() });
  });

  test("is settled by its own sender's late news, and not by an older attempt's", () => {
    const thread = unknown();
    const id = postOf(thread, "headline").attempt?.id ?? "";
    const late = afterSend(thread, id, { is: "sent", ts: "1.000001" }, clock(20));
    expect(postOf(late, "headline").state).toBe("sent");
    expect(afterSend(thread, "another", { is: "sent", ts: "9.000009" }, clock(20))).toBe(thread);
  });

  test("an unknown edit is waited for and made again, with the newest words", () => {
    const up = edited(sent(said(["headline"]), "headline", "1.000001", 0), "headline", "two", 5);
    const { begun, id } = attempt(up, "edit", "headline", 5);
    const lost = release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(7)));
    const newer = edited(lost, "headline", "three", 8);
    expect(nextStep(newer, at(16), PACE)).toEqual({ do: "wait", until: at(17) });
    const again = sent(newer, "headline", "1.000001", 17);
    expect(postOf(again, "headline")).toMatchObject({ state: "sent", shown: 3 });
  });
});

describe("edits", () => {
  test("are one: only the newest is sent, and the same words again are nothing new", () => {
    const up = sent(said(["headline"]), "headline", "1.000001", 0);
    const twice = edited(edited(up, "headline", "two", 5), "headline", "three", 5);
    expect(postOf(twice, "headline")).toMatchObject({ version: 3, message: { text: "three" } });
    const shown = sent(twice, "headline", "1.000001", 5);
    expect(nextStep(shown, at(5), PACE)).toEqual({ do: "nothing" });
    expect(edited(shown, "headline", "three", 6).posts).toEqual(shown.posts);
  });

  test("that come while one is under way follow it", () => {
    const up = edited(sent(said(["headline"]), "headline", "1.000001", 0), "headline", "two", 5);
    const { begun, id } = attempt(up, "edit", "headline", 5);
    const after = afterSend(
      edited(begun, "headline", "three", 6),
      id,
      { is: "sent", ts: "1.000001" },
      clock(6),
    );
    expect(postOf(after, "headline")).toMatchObject({
      state: "pending",
      shown: 2,
      message: { text: "three" },
    });
    expect(nextStep(after, at(6), PACE)).toEqual({ do: "wait", until: at(7.5) });
  });

  test.each(["message_not_found", "cant_update_message", "edit_window_closed"])(
    "of a message that Slack will not edit any more (%s) are posted anew, under a new id",
    (code) => {
      const up = edited(sent(said(["headline"]), "headline", "1.000001", 0), "headline", "two", 5);
      const { begun, id } = attempt(up, "edit", "headline", 5);
      const gone = release(afterSend(begun, id, { is: "refused", code }, clock(5)));
      expect(nextStep(gone, at(5), PACE)).toMatchObject({ do: "post", post: { message: { text: "two" } } });
      expect(postOf(gone, "headline").sendId).not.toBe("send-0");
    },
  );

  test("a reply whose headline was deleted brings the headline back first", () => {
    const up = sent(said(["headline", "first"]), "headline", "1.000001", 0);
    const { begun, id } = attempt(up, "post", "first", 1);
    const headless = release(afterSend(begun, id, { is: "refused", code: "thread_not_found" }, clock(1)));
    expect(nextStep(headless, at(1), PACE)).toMatchObject({
      do: "post",
      post: { key: "headline", message: { text: "headline" } },
    });
  });
});

describe("when Slack says no", () => {
  test("429: the whole thread is silent for as long as Slack asks", () => {
    const { begun, id } = attempt(said(["headline"]), "post", "headline", 0);
    const limited = release(afterSend(begun, id, { is: "limited", retryAfterSeconds: 17 }, clock(0)));
    expect(postOf(limited, "headline").state).toBe("pending");
    expect(nextStep(limited, at(0), PACE)).toEqual({ do: "wait", until: at(17) });
  });

  test("blocks that it does not take: the plain text goes instead, at once", () => {
    const { begun, id } = attempt(said(["headline"]), "post", "headline", 0);
    const plain = release(afterSend(begun, id, { is: "refused", code: "invalid_blocks" }, clock(0)));
    expect(nextStep(plain, at(0), PACE)).toMatchObject({ do: "post", post: { isPlain: true } });
  });

  test("anything else: again after 2, 4, 8 seconds, and never later than half a minute", () => {
    let thread = said(["headline"]);
    let now = 0;
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { begun, id } = attempt(thread, "post", "headline", now);
      thread = release(afterSend(begun, id, { is: "refused", code: "channel_not_found" }, clock(now)));
      const step = nextStep(thread, at(now), PACE);
      if (step.do !== "wait") throw new Error(`it does ${step.do}`);
      waits.push((step.until.getTime() - START) / 1000 - now);
      now += waits.at(-1) ?? 0;
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30]);
  });
});

describe("without Slack", () => {
  test.each([
    ["P1", true],
    ["P2", true],
    ["P3", false],
    ["P4", false],
  ] as const)("a %s goes out by the second channel after a minute: %s", (priority, goesOut) => {
    const thread = { ...said(["headline"], priority), notBefore: at(600).toISOString() };
    expect(nextStep(thread, at(59), PACE)).toEqual({ do: "wait", until: at(goesOut ? 60 : 600) });
    expect(nextStep(thread, at(60), PACE).do).toBe(goesOut ? "fallback" : "wait");
    expect(nextStep(thread, at(60), { ...PACE, fallbackMs: undefined }).do).toBe("wait");
  });

  test("each version goes out once, and not more than one a minute", () => {
    const down = { ...said(["headline"], "P1"), notBefore: at(600).toISOString() };
    const paged = afterFallback(down, "headline", 1, at(60));
    expect(nextStep(paged, at(300), PACE)).toEqual({ do: "wait", until: at(600) });
    const newer = edited(paged, "headline", "contained", 61);
    expect(nextStep(newer, at(119), PACE)).toEqual({ do: "wait", until: at(120) });
    expect(nextStep(newer, at(120), PACE)).toMatchObject({ do: "fallback", post: { version: 2 } });
  });

  test("a second channel that fails, too, is tried again, and Slack meanwhile", () => {
    const failed = afterFailedFallback(said(["headline"], "P1"), "headline", at(60), PACE);
    expect(nextStep(failed, at(60), PACE)).toMatchObject({ do: "post" });
    expect(nextStep(failed, at(62), PACE)).toMatchObject({ do: "fallback" });
  });

  test("one edit catches up, if what stands in Slack does not say how the news came", () => {
    const { begun, id } = attempt(said(["headline"], "P1"), "post", "headline", 0);
    const lost = release(afterSend(begun, id, { is: "unknown", reason: "timeout" }, clock(2)));
    const paged = afterFallback(lost, "headline", 1, at(60));
    const found = afterLook(paged, id, { is: "found", ts: "1.000001" }, clock(70));
    expect(nextStep(found, at(72), PACE)).toMatchObject({ do: "edit", post: { key: "headline" } });
    const caughtUp = sent(found, "headline", "1.000001", 72);
    expect(nextStep(caughtUp, at(72), PACE)).toEqual({ do: "nothing" });
    expect(postOf(caughtUp, "headline")).toMatchObject({ state: "sent", isNoted: true });
  });

  test("the page says that it is a fallback, since when and what, as it was before it was escaped", () => {
    const [post] = said(["key AKIA1 &lt;leaked&gt; &amp; used"], "P1").posts;
    if (!post) throw new Error("nothing was said");
    const { subject, text } = pageOf(said(["x"], "P1"), post);
    expect(subject).toBe("Rekey P1 (fallback, Slack is down)");
    expect(text.split("\n\n")).toEqual([
      "FALLBACK, because Slack does not answer (since 10:00 UTC):",
      "key AKIA1 <leaked> & used",
      "Incident incident-1. The channel is brought up to date when Slack answers again.",
    ]);
  });

  test("the note stands below the message, and in its text where it has no blocks", () => {
    expect(withNote(says("headline"), at(60))).toEqual({
      text: "headline",
      blocks: [
        section("headline"),
        {
          type: "context",
          elements: [{ type: "mrkdwn", text: "Slack did not answer; this went out by SNS at 10:01 UTC." }],
        },
      ],
    });
    expect(withNote(messageOf("plain", []), at(60)).text).toBe(
      "plain\nSlack did not answer; this went out by SNS at 10:01 UTC.",
    );
  });
});

test("a thread that was stored is read back, and one that was damaged is refused by field", () => {
  const thread = said(["headline", "first"]);
  expect(readThread(JSON.parse(JSON.stringify(thread)))).toEqual(thread);
  expect(() => readThread({ ...thread, posts: [{ key: 7 }] })).toThrow(/not readable at: posts\.0\.key/);
});

test("whatever befalls it, a thread ends with every message in the channel once, in order and in its newest version", () => {
  const outcome = fc.constantFrom("sent", "lost", "landed", "limited", "refused", "crashed");
  const edit = fc.record({ key: fc.constantFrom("a", "b", "c"), text: fc.string({ minLength: 1 }) });
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 30 }), fc.array(edit, { maxLength: 8 }), (outcomes, edits) => {
      const channel: { sendId: string; text: string; ts: string }[] = [];
      let thread = said(["a", "b", "c"]);
      let seconds = 0;
      const fates = [...outcomes];
      const words = [...edits];
      for (let round = 0; round < 300; round += 1) {
        const word = words.shift();
        if (word) thread = edited(thread, word.key, word.text, seconds);
        const taken = take(thread, `sender-${round}`, at(seconds), PACE);
        if (!taken) throw new Error("nobody gave it back");
        const step = nextStep(taken, at(seconds), PACE);
        if (step.do === "nothing" && words.length === 0) break;
        if (step.do === "wait") seconds = Math.max(seconds, (step.until.getTime() - START) / 1000);
        if (step.do === "look") {
          const there = channel.find(({ sendId }) => sendId === step.post.sendId);
          const news = there ? ({ is: "found", ts: there.ts } as const) : ({ is: "absent" } as const);
          thread = release(afterLook(taken, step.post.attempt?.id ?? "", news, clock(seconds)));
        }
        if (step.do !== "post" && step.do !== "edit") continue;
        const id = `attempt-${round}`;
        const begun = begin(taken, step.post, id, at(seconds));
        const fate = fates.shift() ?? "sent";
        const { post } = step;
        const ts = post.ts ?? `${round}.000001`;
        if (fate === "sent" || fate === "landed" || fate === "crashed") {
          const old = channel.find((one) => one.ts === post.ts);
          const text = post.message?.text ?? "";
          if (old) old.text = text;
          else channel.push({ sendId: post.sendId, text, ts });
        }
        const news = {
          sent: { is: "sent", ts },
          lost: { is: "unknown", reason: "" },
          landed: { is: "unknown", reason: "" },
          limited: { is: "limited", retryAfterSeconds: 3 },
          refused: { is: "refused", code: "fatal" },
        } as const;
        thread = fate === "crashed" ? begun : release(afterSend(begun, id, news[fate], clock(seconds)));
        if (fate === "crashed") seconds += 31;
      }
      expect(channel.map(({ sendId }) => sendId)).toEqual(["send-0", "send-1", "send-2"]);
      const newest = (key: string) => edits.findLast((one) => one.key === key)?.text ?? key;
      expect(channel.map(({ text }) => text)).toEqual(["a", "b", "c"].map((key) => says(newest(key)).text));
    }),
  );
});
