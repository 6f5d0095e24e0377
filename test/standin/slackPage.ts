/**
 * The channel as people see it: a page on loopback that shows what the stand-in holds and does what Slack does when
 * somebody clicks, types a command or sends a modal. The page names a message and a button; what is sent is made here, out of
 * what Slack holds, so that a page cannot invent a click.
 */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";
import type { Route } from "./server.ts";
import type { SlackMessage, SlackWorkspace } from "./slack.ts";
import {
  clickPayload,
  commandForm,
  type Delivery,
  deliver,
  payloadForm,
  type SlackAppIdentity,
  submitPayload,
} from "./slackDelivery.ts";

export const SLACK_PAGE = "/slack/";
/** A channel is long, and a page is for looking at its end. */
const MOST_SHOWN = 300;
const MOST_BYTES = 100_000;
const GATHER_MS = 25;

const FILES = new URL("./slackPage/", import.meta.url);
const SERVED = new Set(["page.html", "page.css", "page.js", "draw.js", "modal.js", "mrkdwn.ts", "emoji.ts"]);
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Sent extends Delivery {
  /** The button's action, `/rekey`, or the modal's callback. */
  readonly asked: string;
  readonly sentAtMs: number;
}

type Json = Readonly<Record<string, unknown>>;
type Deed = (content: Json, person: Person) => Promise<Delivery> | Delivery;

export class SlackPage {
  /** Where Slack sends what people do; nobody listens while it is undefined. */
  actionUrl: string | undefined;
  readonly app: SlackAppIdentity;
  readonly people: readonly Person[];
  readonly channelName = "security";
  /** What was sent, the oldest first, and how it was answered. */
  readonly deliveries: Sent[] = [];
  readonly #slack: SlackWorkspace;

  constructor(slack: SlackWorkspace, app: SlackAppIdentity, people: readonly Person[]) {
    this.#slack = slack;
    this.app = app;
    this.people = people;
  }

  readonly route: Route = async (request, body, response) => {
    const path = new URL(request.url ?? "", "http://localhost").pathname.slice(SLACK_PAGE.length);
    // A name that somebody else lets point to this machine is not ours.
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? "")) {
      response.writeHead(403).end();
      return;
    }
    if (request.method === "POST") return this.#act(path, request, body, response);
    if (path === "events") return this.#follow(response);
    await serveFile(path === "" ? "page.html" : path, response);
  };

  async #act(path: string, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const answer = (status: number, content: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
    // A form on another page can be sent here, but not as JSON.
    if (request.headers["content-type"] !== "application/json" || body.length > MOST_BYTES)
      return void answer(400, { problem: "Only this page's own requests are taken." });
    const content: Json = JSON.parse(body.toString("utf8"));
    const person = this.people.find(({ id }) => id === content["userId"]);
    const deeds: Readonly<Record<string, Deed>> = {
      click: this.#click,
      command: this.#command,
      submit: this.#submit,
      close: this.#close,
    };
    const deed = Object.hasOwn(deeds, path) ? deeds[path] : undefined;
    if (!person || !deed) return void answer(400, { problem: "Nobody here does that." });
    const delivery = await deed(content, person);
    const errors = delivery.answer?.["response_action"] === "errors" ? delivery.answer["errors"] : undefined;
    answer(200, {
      ok: delivery.problem === undefined,
      ...(delivery.problem === undefined ? {} : { problem: `${delivery.problem}.` }),
      ...(errors === undefined ? {} : { errors }),
    });
  }

  readonly #click: Deed = async ({ ts, blockAt, actionId }, person) => {
    const message = this.#slack.messages.find((one) => one.ts === ts && !one.isDeleted);
    const newest = message?.revisions.at(-1);
    const block = newest?.blocks?.[Number(blockAt)] as BlockWithButtons | undefined;
    const button = buttonsOf(block).find((one) => one["action_id"] === actionId);
    if (!message || !newest || !block || !button) return gone("That button is not there any more");
    const thread = message.thread === undefined ? {} : { thread: message.thread };
    const payload = clickPayload(this.#from(person), { ts: message.ts, ...thread, ...newest }, block, button);
    return this.#deliver(String(actionId), payloadForm(payload));
  };

  readonly #command: Deed = async ({ text }, person) => {
    const delivery = await this.#deliver("/rekey", commandForm(this.#from(person), String(text)));
    const { text: said, blocks } = delivery.answer ?? {};
    if (typeof said === "string") this.#slack.whisper(person.id, said, blocks);
    return delivery;
  };

  readonly #submit: Deed = async ({ viewId, values }, person) => {
    const opened = this.#slack.views.open.find(({ id, userId }) => id === viewId && userId === person.id);
    if (!opened) return gone("That modal is closed");
    const form = payloadForm(submitPayload(this.#from(person), opened, values));
    const delivery = await this.#deliver(String(opened.view["callback_id"]), form);
    const { response_action: action, view } = delivery.answer ?? {};
    if (action === "update") this.#slack.views.update(opened.id, view);
    else if (action !== "errors" && delivery.problem === undefined) this.#slack.views.close(opened.id);
    return delivery;
  };

  readonly #close: Deed = ({ viewId }, person) => {
    const opened = this.#slack.views.open.find(({ id, userId }) => id === viewId && userId === person.id);
    if (opened) this.#slack.views.close(opened.id);
    return { milliseconds: 0 };
  };

  async #deliver(asked: string, form: string): Promise<Delivery> {
    if (this.actionUrl === undefined) return gone("No address was given to Slack for this app");
    const sentAtMs = Date.now();
    const delivery = await deliver(this.actionUrl, this.app, form);
    this.deliveries.push({ ...delivery, asked, sentAtMs });
    return delivery;
  }

  #from({ id, name }: Person) {
    return {
      app: this.app,
      userId: id,
      userName: name.toLowerCase(),
      channel: { id: this.#slack.channel, name: this.channelName },
      triggerId: this.#slack.views.issueTrigger(id),
    };
  }

  /** Server-sent events: all of it at once, and again after each change; the page finds out what is different. */
  #follow(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const write = () => response.write(`data: ${JSON.stringify(this.#state())}\n\n`);
    let timer: NodeJS.Timeout | undefined;
    const changed = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        write();
      }, GATHER_MS);
    };
    this.#slack.emitter.on("change", changed);
    response.on("close", () => {
      clearTimeout(timer);
      this.#slack.emitter.off("change", changed);
    });
    write();
  }

  #state(): unknown {
    const shown = ({ ts, thread, revisions }: SlackMessage) => ({
      ts,
      ...(thread === undefined ? {} : { thread }),
      revisions,
    });
    const { messages, asides, views, channel } = this.#slack;
    return {
      channel: { id: channel, name: this.channelName },
      people: this.people,
      messages: messages.slice(-MOST_SHOWN).flatMap((one) => (one.isDeleted ? [] : [shown(one)])),
      asides,
      views: views.open,
    };
  }
}

interface BlockWithButtons {
  readonly block_id?: string;
  readonly elements?: readonly Json[];
  readonly accessory?: Json;
}

const buttonsOf = (block: BlockWithButtons | undefined): readonly Json[] =>
  [...(block?.elements ?? []), ...(block?.accessory ? [block.accessory] : [])].filter(
    ({ type }) => type === "button",
  );

const gone = (problem: string): Delivery => ({ milliseconds: 0, problem });

async function serveFile(name: string, response: ServerResponse): Promise<void> {
  if (!SERVED.has(name)) {
    response.writeHead(404).end();
    return;
  }
  const extension = extname(name);
  let content = await readFile(new URL(name, FILES), "utf8");
  if (extension === ".ts") {
    const { transform } = await import("esbuild");
    content = (await transform(content, { loader: "ts", charset: "utf8" })).code;
  }
  const headers = {
    "content-type": TYPES[extension],
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
  response.writeHead(200, headers).end(content);
}
