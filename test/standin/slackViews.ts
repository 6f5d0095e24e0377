/** Slack's modals: opened by a trigger that is good for three seconds and for one modal, changed, sent, closed. */
import { randomUUID } from "node:crypto";
import { isBlock } from "./slackBlocks.ts";

type Json = Readonly<Record<string, unknown>>;

export interface OpenView {
  readonly id: string;
  readonly userId: string;
  readonly hash: string;
  readonly triggerId: string;
  readonly view: Json;
}

interface Call {
  readonly trigger_id?: string;
  readonly view_id?: string;
  readonly view?: unknown;
}

const MOST_BLOCKS = 100;
const MOST_TITLE = 24;

export class SlackViews {
  /** The one that a person sees is the last of theirs. */
  readonly open: OpenView[] = [];
  /** For how long a trigger is good. */
  triggerMs = 3_000;
  readonly #triggers = new Map<string, { readonly userId: string; readonly atMs: number; isUsed: boolean }>();
  readonly #now: () => number;
  readonly #changed: () => void;

  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  /** For one click or command. */
  issueTrigger(userId: string, atMs = this.#now()): string {
    const id = `${Math.floor(atMs)}.1.${randomUUID().replaceAll("-", "")}`;
    this.#triggers.set(id, { userId, atMs, isUsed: false });
    return id;
  }

  /** `views.open`, `views.push` and `views.update`, as a form or as JSON. */
  answer(method: string, call: Call): Json {
    const view = viewOf(call.view);
    if (view === undefined) return { ok: false, error: "invalid_arguments" };
    if (method === "views.update") {
      const old = this.open.find(({ id }) => id === call.view_id);
      if (!old) return { ok: false, error: "not_found" };
      return this.#keep({ ...old, view });
    }
    if (method !== "views.open" && method !== "views.push") return { ok: false, error: "unknown_method" };
    const triggerId = call.trigger_id ?? "";
    const trigger = this.#triggers.get(triggerId);
    if (!trigger) return { ok: false, error: "invalid_trigger_id" };
    if (trigger.isUsed) return { ok: false, error: "exchanged_trigger_id" };
    if (this.#now() - trigger.atMs > this.triggerMs) return { ok: false, error: "expired_trigger_id" };
    trigger.isUsed = true;
    const id = `V${randomUUID().replaceAll("-", "").toUpperCase()}`;
    return this.#keep({ id, userId: trigger.userId, triggerId, view });
  }

  update(id: string, view: unknown): void {
    this.answer("views.update", { view_id: id, view });
  }

  close(id: string): void {
    const at = this.open.findIndex((one) => one.id === id);
    if (at === -1) return;
    this.open.splice(at, 1);
    this.#changed();
  }

  #keep(given: Omit<OpenView, "hash">): Json {
    const kept = { ...given, hash: randomUUID() };
    const { id, view } = kept;
    const at = this.open.findIndex((one) => one.id === id);
    if (at === -1) this.open.push(kept);
    else this.open[at] = kept;
    this.#changed();
    return { ok: true, view: { ...view, id, hash: kept.hash } };
  }
}

/** @returns undefined for what Slack would refuse */
function viewOf(given: unknown): Json | undefined {
  const view: unknown = typeof given === "string" ? parsed(given) : given;
  if (typeof view !== "object" || view === null) return undefined;
  const { type, callback_id: id, private_metadata: kept, title, submit, close, blocks } = view as Json;
  const isFine =
    type === "modal" &&
    isPlain(title, MOST_TITLE) &&
    (submit === undefined || isPlain(submit, MOST_TITLE)) &&
    (close === undefined || isPlain(close, MOST_TITLE)) &&
    String(id ?? "").length <= 255 &&
    String(kept ?? "").length <= 3_000 &&
    Array.isArray(blocks) &&
    blocks.length <= MOST_BLOCKS &&
    // Without a button for sending, Slack takes no inputs.
    blocks.every((block: Json) => (block["type"] === "input" ? submit && isInput(block) : isBlock(block)));
  return isFine ? { ...view } : undefined;
}

/** Those that the page can draw and that Rekey has; Slack has more. */
const INPUTS = ["plain_text_input", "number_input", "static_select", "users_select", "radio_buttons"];

function isInput({ label, element = {} }: Json): boolean {
  const { type, is_decimal_allowed: isDecimal } = element as Json;
  const isComplete = type !== "number_input" || typeof isDecimal === "boolean";
  return isPlain(label, 2_000) && INPUTS.includes(String(type)) && isComplete;
}

function isPlain(given: unknown, most: number): boolean {
  const { type, text } = (given ?? {}) as Json;
  return type === "plain_text" && typeof text === "string" && text.length > 0 && text.length <= most;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Refused like every other view that is none.
    return undefined;
  }
}
