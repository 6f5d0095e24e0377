/** Slack's modals: opened by a trigger that is good for three seconds and for one modal, changed, sent, closed. */
import { randomUUID } from "node:crypto";

type Json = Readonly<Record<string, unknown>>;

export interface OpenView {
  readonly id: string;
  readonly userId: string;
  readonly hash: string;
  readonly view: Json;
}

interface Call {
  readonly trigger_id?: string;
  readonly view_id?: string;
  readonly view?: unknown;
}

const TRIGGER_MS = 3_000;
const MOST_BLOCKS = 100;
const MOST_TITLE = 24;

export class SlackViews {
  /** The one that a person sees is the last of theirs. */
  readonly open: OpenView[] = [];
  readonly #triggers = new Map<string, { readonly userId: string; readonly atMs: number; isUsed: boolean }>();
  readonly #now: () => number;
  readonly #changed: () => void;

  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  /** For one click or command. */
  issueTrigger(userId: string): string {
    const id = `${Math.floor(this.#now())}.1.${randomUUID().replaceAll("-", "")}`;
    this.#triggers.set(id, { userId, atMs: this.#now(), isUsed: false });
    return id;
  }

  /** `views.open`, `views.push` and `views.update`, as a form or as JSON. */
  answer(method: string, call: Call): Json {
    const view = viewOf(call.view);
    if (view === undefined) return { ok: false, error: "invalid_arguments" };
    if (method === "views.update") {
      const old = this.open.find(({ id }) => id === call.view_id);
      if (!old) return { ok: false, error: "not_found" };
      return this.#keep(old.id, old.userId, view);
    }
    if (method !== "views.open" && method !== "views.push") return { ok: false, error: "unknown_method" };
    const trigger = this.#triggers.get(call.trigger_id ?? "");
    if (!trigger) return { ok: false, error: "invalid_trigger_id" };
    if (trigger.isUsed) return { ok: false, error: "exchanged_trigger_id" };
    if (this.#now() - trigger.atMs > TRIGGER_MS) return { ok: false, error: "expired_trigger_id" };
    trigger.isUsed = true;
    return this.#keep(`V${randomUUID().replaceAll("-", "").toUpperCase()}`, trigger.userId, view);
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

  #keep(id: string, userId: string, view: Json): Json {
    const kept = { id, userId, hash: randomUUID(), view };
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
  const { type, title, blocks, submit } = view as {
    readonly type?: unknown;
    readonly title?: { readonly text?: unknown };
    readonly blocks?: unknown;
    readonly submit?: unknown;
  };
  const heading = title?.text;
  if (type !== "modal" || typeof heading !== "string" || heading.length < 1 || heading.length > MOST_TITLE)
    return undefined;
  if (!Array.isArray(blocks) || blocks.length > MOST_BLOCKS) return undefined;
  // Without a button for sending, Slack takes no inputs.
  if (submit === undefined && blocks.some((block) => block?.type === "input")) return undefined;
  return { ...view };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Refused like every other view that is none.
    return undefined;
  }
}
