import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOST_BYTES, readSlackRequest, type SlackApp } from "../../lib/incident/slackRequest.ts";
import { SecretText } from "../../lib/secret.ts";
import { CLICK, COMMAND, commandForm, MODAL, payloadForm } from "./slackForms.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const APP: SlackApp = { teamId: "T0REKEY", appId: "A0REKEY", signingSecret: new SecretText(SECRET) };
const NOW = new Date("2026-11-25T12:00:00Z");
const SECONDS = NOW.getTime() / 1000;

function headersFor(raw: Uint8Array, at = SECONDS, secret = SECRET): Record<string, string> {
  const signature = createHmac("sha256", secret).update(`v0:${at}:`).update(raw).digest("hex");
  return {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${signature}`,
  };
}

const signed = (body: string | Uint8Array, changes: Record<string, string> = {}, at = SECONDS) => {
  const raw = Buffer.from(body);
  return readSlackRequest(raw, { ...headersFor(raw, at), ...changes }, APP, NOW);
};

describe("a signature", () => {
  test("is Slack's own: its documented example holds, and another secret's does not", () => {
    const raw = Buffer.from(
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    );
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Slack-Request-Timestamp": "1531420618",
      "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    };
    const then = new Date(1_531_420_618_000);
    // It gets past the signature, and is refused for whose it is.
    expect(readSlackRequest(raw, headers, APP, then)).toMatchObject({
      reason: "it is not from our team and app",
    });
    const other = { ...APP, signingSecret: new SecretText("other") };
    expect(readSlackRequest(raw, headers, other, then)).toMatchObject({
      status: 401,
      reason: "the signature does not fit",
    });
  });

  test.each([
    [-300, true],
    [-301, false],
    [300, true],
    [301, false],
  ])("of a request from %s seconds ahead is taken: %s", (ahead, isTaken) => {
    expect(signed(payloadForm(CLICK), {}, SECONDS + ahead).ok).toBe(isTaken);
  });

  test("covers every byte: no changed body and no changed time is taken", () => {
    const raw = Buffer.from(payloadForm(CLICK));
    const headers = headersFor(raw);
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const forged = Buffer.from(raw);
        forged[place] = (forged[place] ?? 0) ^ change;
        expect(readSlackRequest(forged, headers, APP, NOW)).toMatchObject({ ok: false, status: 401 });
      }),
    );
    const later = { ...headers, "x-slack-request-timestamp": String(SECONDS + 1) };
    expect(readSlackRequest(raw, later, APP, NOW)).toMatchObject({ ok: false, status: 401 });
  });

  test.each([
    ["no signature", { "x-slack-signature": "" }],
    ["a later version", { "x-slack-signature": `v1=${"0".repeat(64)}` }],
    ["half a signature", { "x-slack-signature": "v0=abcd" }],
    ["two signatures", { "x-slack-signature": `v0=${"0".repeat(64)},v0=${"0".repeat(64)}` }],
    ["no time", { "x-slack-request-timestamp": "" }],
    ["a time that is no number", { "x-slack-request-timestamp": "1e9" }],
    ["a negative time", { "x-slack-request-timestamp": "-5" }],
  ])("is refused with %s", (_what, changes) => {
    expect(signed(payloadForm(CLICK), changes)).toMatchObject({ ok: false, status: 401 });
  });

  test("made with an empty secret is refused, should ours be empty", () => {
    const raw = Buffer.from(payloadForm(CLICK));
    const app = { ...APP, signingSecret: new SecretText("") };
    expect(readSlackRequest(raw, headersFor(raw, SECONDS, ""), app, NOW)).toMatchObject({
      ok: false,
      status: 401,
    });
  });
});

describe("what Slack asks for", () => {
  test("a click: which button, whose, in which message, and nothing else of the payload", () => {
    expect(signed(payloadForm(CLICK))).toEqual({
      ok: true,
      signature: expect.stringMatching(/^v0=/),
      request: {
        kind: "click",
        actionId: "approve",
        value: "request-7",
        userId: "U0ALICE",
        channelId: "C0SECURITY",
        messageTs: "1764072000.000100",
        triggerId: "12.34.abcdef",
      },
    });
  });

  test("a modal: what was typed and chosen, without control characters", () => {
    expect(signed(payloadForm(MODAL))).toMatchObject({
      request: {
        kind: "modal",
        callbackId: "declare",
        privateMetadata: "incident-1",
        userId: "U0ALICE",
        inputs: [
          { blockId: "why", actionId: "text", value: "seen in a\npublic place" },
          { blockId: "how", actionId: "grave", value: "P1" },
        ],
      },
    });
  });

  test("a command, with its text", () => {
    expect(signed(commandForm(COMMAND))).toMatchObject({
      request: { kind: "command", command: "/rekey", text: "leak shop/database & more", userId: "U0ALICE" },
    });
  });

  test.each([
    ["a body that is not UTF-8", Buffer.from([0x70, 0x61, 0x79, 0xff, 0xfe]), 400],
    ["percent signs that are not UTF-8", "payload=%ff%fe", 400],
    ["half a percent sign", "payload=%f", 400],
    ["no payload", "a=b", 400],
    ["a payload that is not JSON", "payload=%7B", 400],
    ["a payload that is a list", "payload=%5B%5D", 400],
    ["a payload nested deeper than any stack", `payload=${"%5B".repeat(200_000)}`, 400],
    ["more than a megabyte", `payload=${"a".repeat(MOST_BYTES)}`, 400],
    ["another team", payloadForm({ ...CLICK, team: { id: "T0OTHER" } }), 401],
    ["no team", payloadForm({ ...CLICK, team: null }), 401],
    ["another app", payloadForm({ ...CLICK, api_app_id: "A0OTHER" }), 401],
    ["a person from outside", payloadForm({ ...CLICK, user: { id: "U0EVE", team_id: "T0OTHER" } }), 401],
    ["a command of another team", commandForm({ ...COMMAND, team_id: "T0OTHER" }), 401],
    ["another command", commandForm({ ...COMMAND, command: "/deploy" }), 400],
    ["a kind that nobody asked for", payloadForm({ ...CLICK, type: "shortcut" }), 400],
    ["two clicks at once", payloadForm({ ...CLICK, actions: [...CLICK.actions, ...CLICK.actions] }), 400],
    ["something else than a button", payloadForm({ ...CLICK, actions: [{ type: "datepicker" }] }), 400],
    ["a value that is too long", payloadForm(withAction({ value: "x".repeat(2001) })), 400],
    ["a value that is no text", payloadForm(withAction({ value: { $ne: 1 } })), 400],
    ["an id that is none", payloadForm({ ...CLICK, user: { id: "<!channel>" } }), 400],
  ])("%s is refused", (_what, body, status) => {
    expect(signed(body)).toMatchObject({ ok: false, status });
  });

  test.each(["application/json", "text/plain", "", "multipart/form-data; boundary=x"])(
    "a body that calls itself %j is refused",
    (type) => {
      expect(signed(payloadForm(CLICK), { "content-type": type })).toMatchObject({ ok: false, status: 400 });
    },
  );

  test("whatever is signed gets an answer, and no reason repeats what was sent", () => {
    const canary = "canary7391";
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const payload = {
          ...CLICK,
          actions: [{ type: "button", action_id: value, value: canary.repeat(300) }],
        };
        const received = signed(payloadForm(payload));
        expect(received.ok).toBe(false);
        expect(JSON.stringify(received)).not.toContain(canary);
      }),
    );
  });
});

function withAction(changes: Record<string, unknown>) {
  return { ...CLICK, actions: [{ ...CLICK.actions[0], ...changes }] };
}
