/**
 * The channel's page, in a real browser against the real door: what is posted by the API is seen, what is clicked arrives
 * signed at the app's address. The address here is a small server that checks signatures with Rekey's own reader.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebClient } from "@slack/web-api";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Received, readSlackRequest } from "../../lib/incident/slackRequest.ts";
import { actions, header, messageOf, outsideCode, section } from "../../lib/message.ts";
import { SecretText } from "../../lib/secret.ts";
import { startBrowser } from "./browser.ts";
import { type Cloud, startCloud } from "./cloud.ts";

let browser: Browser;
let cloud: Cloud;
let slack: WebClient;
let app: Server;
let page: Page;
let received: Received[] = [];
let broken: string[] = [];
let answer = async (_: Received): Promise<{ status: number; body?: unknown }> => ({ status: 200 });

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  cloud = await startCloud({ processes: false });
  slack = new WebClient(cloud.slack.token, { slackApiUrl: cloud.env["SLACK_API_URL"] ?? "" });
  [received, broken] = [[], []];
  answer = async () => ({ status: 200 });
  const { teamId, appId, signingSecret } = cloud.slackPage.app;
  const known = { teamId, appId, signingSecret: new SecretText(signingSecret) };
  app = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const one = readSlackRequest(Buffer.concat(chunks), headers, known, new Date());
    received.push(one);
    const { status, body } = await answer(one);
    response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body));
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  cloud.slackPage.actionUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
  page = await browser.newPage();
  page.on("pageerror", (error) => broken.push(error.message));
  page.on("dialog", (dialog) => broken.push(`dialog ${dialog.message()}`));
  page.on("console", (line) => line.type() === "error" && broken.push(line.text()));
  await page.goto(cloud.slackPageUrl);
});
afterEach(async () => {
  await page?.close();
  app?.closeAllConnections();
  app?.close();
  await cloud?.stop();
  expect(broken).toEqual([]);
});

const channel = "C0SECURITY";
const post = async (text: string, blocks?: unknown, thread?: string) => {
  const { ts = "" } = await slack.chat.postMessage({
    channel,
    text,
    ...(blocks ? { blocks: blocks as never } : {}),
    ...(thread ? { thread_ts: thread } : {}),
  });
  return ts;
};
const rotate = {
  text: "Rotate now",
  actionId: "episode-rotate",
  value: "request-7",
  style: "danger",
} as const;
const messages = () => page.locator("#messages > .message");
const clicked = () => received.map((one) => (one.ok ? one.request : one));

test("a message is seen as soon as it is posted, and an edit takes its place", async () => {
  const ts = await post("*high:* somebody read `shop/database` :rotating_light:");
  await messages().getByText("somebody read").waitFor();
  expect(await messages().locator("strong").textContent()).toBe("high:");
  expect(await messages().locator("code").textContent()).toBe("shop/database");
  expect(await messages().locator(".emoji").textContent()).toBe("🚨");

  await slack.chat.update({ channel, ts, text: "the old value is dead" });
  await messages().getByText("the old value is dead").waitFor();
  expect(await messages().count()).toBe(1);
  const history = messages().locator(".edits");
  expect(await history.locator("summary").textContent()).toBe("edited");
  await history.locator("summary").click();
  expect(await history.locator("li").textContent()).toContain("somebody read shop/database");
});

test("a thread folds open, and stays open while it grows", async () => {
  const ts = await post("a headline");
  await post("the first detail", undefined, ts);
  const thread = messages().locator(".thread");
  await thread.locator("summary").click();
  expect(await thread.locator(".message").count()).toBe(1);
  await post("the second detail", undefined, ts);
  await thread.getByText("the second detail").waitFor();
  expect(await thread.getByText("the first detail").isVisible()).toBe(true);
  expect(await thread.locator("summary").textContent()).toMatch(/^2 replies/);
});

test("a hostile name is text and nothing else", async () => {
  const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>"><b>bold</b>';
  await post(
    hostile,
    messageOf("x", [header(hostile), section(`*Who* ${outsideCode(hostile)}`), section(hostile)]).blocks,
  );
  await post('<javascript:alert(3)|a link> <https://evil.example/"onmouseover=alert(4)|another>');
  await messages().nth(1).waitFor();
  expect(await page.locator("#messages :is(img, script, b:not(.author > b))").count()).toBe(0);
  expect(await messages().first().locator("h2").textContent()).toBe(hostile);
  expect(await messages().first().locator("code").textContent()).toBe(hostile);
  const links = await messages()
    .nth(1)
    .locator("a")
    .evaluateAll((all) => all.map((one) => one.outerHTML));
  expect(links).toEqual([
    '<a href="https://evil.example/&quot;onmouseover=alert(4)" target="_blank" rel="noreferrer">another</a>',
  ]);
});

test("a click arrives once, signed, as the person who clicked, however often the button is pressed", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  answer = async () => {
    await held;
    return { status: 200 };
  };
  const ts = await post("a leak", messageOf("a leak", [section("a leak"), ...actions([rotate])]).blocks);
  await page.getByLabel("You are").selectOption("Ben");
  const button = page.getByRole("button", { name: "Rotate now" });
  await button.dblclick();
  await expect.poll(() => button.getAttribute("aria-busy")).toBe("true");
  // An edit that comes meanwhile draws the button anew; it is still the one that was pressed.
  await slack.chat.update({
    channel,
    ts,
    text: "a leak",
    blocks: messageOf("a leak", [section("a leak, 2 events"), ...actions([rotate])]).blocks as never,
  });
  await page.getByText("a leak, 2 events").waitFor();
  expect(await button.isDisabled()).toBe(true);
  release();
  await expect.poll(() => button.isEnabled()).toBe(true);
  expect(clicked()).toEqual([
    {
      kind: "click",
      actionId: "episode-rotate",
      value: "request-7",
      userId: "U0BEN",
      channelId: channel,
      messageTs: ts,
      triggerId: expect.any(String),
    },
  ]);
});

test("a button that asks first sends nothing when the answer is no, with the keyboard alone", async () => {
  const confirm = { title: "Rotate now?", text: "Requests fail.", yes: "Rotate", no: "Leave it" };
  await post("a leak", messageOf("a leak", [section("a leak"), ...actions([{ ...rotate, confirm }])]).blocks);
  const button = page.getByRole("button", { name: "Rotate now" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Rotate now?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  expect(received).toEqual([]);

  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Rotate", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => received.length).toBe(1);
  expect(clicked()).toMatchObject([{ kind: "click", actionId: "episode-rotate", userId: "U0ALICE" }]);
});

test("a refused click is told at its message, and the next one starts afresh", async () => {
  answer = async () => ({ status: 401 });
  await post("a leak", messageOf("a leak", [section("a leak"), ...actions([rotate])]).blocks);
  await page.getByRole("button", { name: "Rotate now" }).click();
  await messages().getByText("Rekey answered with the status 401").waitFor();
  answer = async () => ({ status: 200 });
  await page.getByRole("button", { name: "Rotate now" }).click();
  await messages().locator(".trouble").waitFor({ state: "detached" });
  expect(received).toHaveLength(2);
  // The browser's own line about a status is no fault of the page; ours is answered with 200 all the same.
});

test("/rekey arrives as a command, and its answer is seen by who asked and by nobody else", async () => {
  answer = async () => ({ status: 200, body: { response_type: "ephemeral", text: "Rekey is on it." } });
  await page.keyboard.press("/");
  await page.keyboard.type("/rekey leak shop/database & more");
  await page.keyboard.press("Enter");
  await messages().getByText("Rekey is on it.").waitFor();
  expect(clicked()).toMatchObject([
    { kind: "command", command: "/rekey", text: "leak shop/database & more", userId: "U0ALICE" },
  ]);
  await page.getByLabel("You are").selectOption("Chidi");
  expect(await messages().count()).toBe(0);
});

test("a modal that a click opens is filled in, sent, corrected and closed", async () => {
  const view = {
    type: "modal",
    callback_id: "declare",
    private_metadata: "incident-1",
    title: { type: "plain_text", text: "Say why" },
    submit: { type: "plain_text", text: "Send" },
    blocks: [
      {
        type: "input",
        block_id: "why",
        label: { type: "plain_text", text: "The reason" },
        element: { type: "plain_text_input", action_id: "text", multiline: true },
      },
      {
        type: "input",
        block_id: "days",
        label: { type: "plain_text", text: "How long" },
        element: {
          type: "static_select",
          action_id: "choice",
          options: [
            { text: { type: "plain_text", text: "A day" }, value: "1" },
            { text: { type: "plain_text", text: "A week" }, value: "7" },
          ],
        },
      },
    ],
  } as const;
  answer = async (one) => {
    if (one.ok && one.request.kind === "click")
      await slack.views.open({ trigger_id: one.request.triggerId, view: view as never });
    if (one.ok && one.request.kind === "modal" && one.request.inputs.some(({ value }) => value === "because"))
      return { status: 200, body: { response_action: "errors", errors: { why: "Say more than that." } } };
    return { status: 200 };
  };
  await post("a leak", messageOf("a leak", [section("a leak"), ...actions([rotate])]).blocks);
  await page.getByRole("button", { name: "Rotate now" }).click();
  const modal = page.getByRole("dialog", { name: "Say why" });
  await modal.getByLabel("The reason").fill("because");
  await modal.getByRole("button", { name: "Send" }).click();
  await modal.getByText("Please fill this in.").waitFor();
  expect(received).toHaveLength(1);
  await modal.getByLabel("How long").selectOption("A week");
  await modal.getByRole("button", { name: "Send" }).click();
  await modal.getByText("Say more than that.").waitFor();
  await modal.getByLabel("The reason").fill("the yearly audit");
  await modal.getByRole("button", { name: "Send" }).click();
  await modal.waitFor({ state: "hidden" });
  expect(clicked().at(-1)).toEqual({
    kind: "modal",
    callbackId: "declare",
    privateMetadata: "incident-1",
    inputs: [
      { blockId: "why", actionId: "text", value: "the yearly audit" },
      { blockId: "days", actionId: "choice", value: "7" },
    ],
    userId: "U0ALICE",
  });
});

test("a trigger opens one modal, within three seconds", async () => {
  const view = { type: "modal", title: { type: "plain_text", text: "Say why" }, blocks: [] } as never;
  const open = (trigger: string) =>
    slack.views.open({ trigger_id: trigger, view }).then(
      () => "opened",
      (error: { data: { error: string } }) => error.data.error,
    );
  const trigger = cloud.slack.views.issueTrigger("U0ALICE");
  expect(await open(trigger)).toBe("opened");
  expect(await open(trigger)).toBe("exchanged_trigger_id");
  expect(await open("1.2.3")).toBe("invalid_trigger_id");
  const late = cloud.slack.views.issueTrigger("U0ALICE");
  cloud.slack.clock = () => Date.now() + 3_001;
  expect(await open(late)).toBe("expired_trigger_id");
});

test("the keyboard walks through messages and opens a thread", async () => {
  const first = await post("the first");
  await post("the second");
  await post("a detail", undefined, first);
  await messages().nth(1).waitFor();
  await page.locator(".thread").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  expect(await page.locator(":focus").getAttribute("aria-label")).toBe("the second");
  await page.keyboard.press("k");
  await page.keyboard.press("t");
  expect(await page.getByText("a detail").isVisible()).toBe(true);
});

test.each([
  ["a form of another page", { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }, 400],
  ["somebody who is not in the channel", json({ userId: "U0MALLORY", text: "leak" }), 400],
  ["nobody's command", json({ text: "leak" }), 400],
] as const)("%s sends nothing", async (_who, request, status) => {
  const { status: answered } = await fetch(`${cloud.slackPageUrl}command`, request);
  expect(answered).toBe(status);
  expect(received).toEqual([]);
});

function json(content: unknown) {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(content) };
}
