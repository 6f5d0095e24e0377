/** The channel, drawn anew where something changed and left alone everywhere else, so that nobody loses their place. */
import { drawRevision, el, timeOf } from "./draw.js";
import { ask, closeModal, showModal } from "./modal.js";

const $ = (id) => document.getElementById(id);
const list = $("messages");

let state = { channel: { id: "", name: "" }, people: [], messages: [], asides: [], views: [] };
/** Of `ts/block/action`: clicked, and not yet answered. A second click meanwhile is nobody's wish. */
const busy = new Set();
/** Of a message: what stood wrong with its last click. */
const troubles = new Map();
const drawn = new Map();

const person = () => $("person").value;
const names = () =>
  new Map([[state.channel.id, state.channel.name], ...state.people.map(({ id, name }) => [id, name])]);

async function send(path, content) {
  const headers = { "content-type": "application/json" };
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers,
      body: JSON.stringify({ userId: person(), ...content }),
    });
    return await answer.json();
  } catch {
    return { ok: false, problem: "The local Slack does not answer any more." };
  }
}

async function press(message, button, at) {
  const key = `${at}/${button.action_id ?? ""}`;
  const whole = `${message.ts}/${key}`;
  if (busy.has(whole)) return;
  if (button.confirm && !(await ask(button.confirm, names()))) return;
  if (busy.has(whole)) return;
  busy.add(whole);
  troubles.delete(message.ts);
  draw();
  const { problem } = await send("click", { ts: message.ts, blockAt: at, actionId: button.action_id });
  busy.delete(whole);
  if (problem) troubles.set(message.ts, problem);
  draw();
}

function drawAuthor(message, atMs) {
  return el(
    "div",
    { class: "author" },
    el("b", {}, message.userName ?? "Rekey"),
    message.userName ? undefined : el("span", { class: "app" }, "APP"),
    timeOf(atMs),
  );
}

function drawHistory(message, earlier) {
  if (earlier.length === 0) return undefined;
  const still = { names: names(), isBusy: () => false };
  return el(
    "details",
    { class: "edits", "data-key": `edits ${message.ts}` },
    el("summary", {}, earlier.length === 1 ? "edited" : `edited ${earlier.length} times`),
    el(
      "ol",
      {},
      ...earlier.map((revision) => el("li", {}, timeOf(revision.atMs), ...drawRevision(revision, still))),
    ),
  );
}

function drawThread(message, replies) {
  if (replies.length === 0) return undefined;
  const last = replies.at(-1);
  return el(
    "details",
    { class: "thread", "data-key": `thread ${message.ts}` },
    el(
      "summary",
      {},
      replies.length === 1 ? "1 reply" : `${replies.length} replies`,
      el("span", {}, "last at ", timeOf(last.revisions[0].atMs)),
    ),
    el("ol", {}, ...replies.map((reply) => drawMessage(reply, []))),
  );
}

function drawMessage(message, replies) {
  const newest = message.revisions.at(-1);
  const tools = {
    names: names(),
    isBusy: (key) => busy.has(`${message.ts}/${key}`),
    press: (button, at) => press(message, button, at),
  };
  const trouble = troubles.get(message.ts);
  return el(
    "li",
    { class: "message", tabindex: "-1", "data-ts": message.ts, "aria-label": newest.text },
    el(
      "div",
      { class: message.userName ? "face person" : "face", "aria-hidden": "true" },
      (message.userName ?? "R").slice(0, 1),
    ),
    el(
      "div",
      { class: "body" },
      drawAuthor(message, message.revisions[0].atMs),
      ...drawRevision(newest, tools),
      trouble ? el("p", { class: "trouble", role: "alert" }, `⚠ ${trouble}`) : undefined,
      drawHistory(message, message.revisions.slice(0, -1)),
      drawThread(message, replies),
    ),
  );
}

function drawAside(aside) {
  const still = { names: names(), isBusy: () => false };
  return el(
    "li",
    { class: "message aside", tabindex: "-1", "data-ts": aside.id },
    el("div", { class: "face", "aria-hidden": "true" }, "R"),
    el(
      "div",
      { class: "body" },
      el("p", { class: "only" }, "Only visible to you"),
      el(
        "div",
        { class: "author" },
        el("b", {}, "Rekey"),
        el("span", { class: "app" }, "APP"),
        timeOf(aside.atMs),
      ),
      ...drawRevision(aside, still),
    ),
  );
}

/** What a person has opened and where they are must outlive the drawing. */
function replace(old, fresh) {
  const open = new Set([...old.querySelectorAll("details[open]")].map(({ dataset }) => dataset.key));
  for (const details of fresh.querySelectorAll("details")) details.open = open.has(details.dataset.key);
  const active = old.contains(document.activeElement) ? document.activeElement : undefined;
  const place =
    active === old
      ? ""
      : (active?.dataset.key ??
        (active?.tagName === "SUMMARY" ? active.parentElement.dataset.key : undefined));
  old.replaceWith(fresh);
  if (active === undefined || place === undefined) return;
  const again = [...fresh.querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === place);
  const target = place === "" ? fresh : again?.tagName === "DETAILS" ? again.querySelector("summary") : again;
  target?.focus({ preventScroll: true });
}

function draw() {
  const replies = Map.groupBy(
    state.messages.filter(({ thread }) => thread !== undefined),
    ({ thread }) => thread,
  );
  const asides = state.asides.filter(({ userId }) => userId === person());
  const rows = [
    ...state.messages
      .filter(({ thread }) => thread === undefined)
      .map((message) => ({ id: message.ts, atMs: message.revisions[0].atMs, message })),
    ...asides.map((aside) => ({ id: aside.id, atMs: aside.atMs, aside })),
  ].sort((a, b) => a.atMs - b.atMs);
  const isAtEnd = window.innerHeight + window.scrollY > document.body.scrollHeight - 80;
  for (const id of drawn.keys()) {
    if (rows.some((row) => row.id === id)) continue;
    drawn.get(id).element.remove();
    drawn.delete(id);
  }
  let before;
  for (const { id, message, aside } of rows) {
    const own = message ? [message, ...(replies.get(id) ?? [])] : [aside];
    const held = [...busy].filter((key) => own.some(({ ts }) => key.startsWith(`${ts}/`)));
    const version = JSON.stringify([own, held, own.map(({ ts }) => troubles.get(ts))]);
    const known = drawn.get(id);
    if (known?.version !== version) {
      const element = message ? drawMessage(message, own.slice(1)) : drawAside(aside);
      if (known) replace(known.element, element);
      else if (before) before.after(element);
      else list.prepend(element);
      drawn.set(id, { version, element });
    }
    before = drawn.get(id).element;
  }
  $("empty").hidden = rows.length > 0;
  if (isAtEnd) window.scrollTo({ top: document.body.scrollHeight });
}

let modal;
function drawModal() {
  const opened = state.views.findLast(({ userId }) => userId === person());
  if (opened?.id === modal?.id && opened?.hash === modal?.hash) return;
  modal = opened;
  if (!opened) return closeModal();
  showModal(opened, {
    names: names(),
    people: state.people,
    send: (values) => send("submit", { viewId: opened.id, values }),
    done: async () => {
      if (modal?.id === opened.id) await send("close", { viewId: opened.id });
    },
  });
}

function show(next) {
  const isFirst = state.people.length === 0;
  state = next;
  $("channel").textContent = `#${state.channel.name}`;
  document.title = `#${state.channel.name}`;
  if (isFirst) {
    $("person").replaceChildren(...state.people.map(({ id, name }) => el("option", { value: id }, name)));
    $("person").value = sessionStorage.getItem("person") ?? state.people[0]?.id ?? "";
    if ($("person").value === "") $("person").value = state.people[0]?.id ?? "";
  }
  draw();
  drawModal();
}

function step(by) {
  const all = [...list.querySelectorAll(":scope > .message")];
  const at = all.indexOf(document.activeElement?.closest("#messages > .message"));
  const next =
    all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const isTyping = ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (isTyping) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "j" || event.key === "ArrowDown") step(1);
  else if (event.key === "k" || event.key === "ArrowUp") step(-1);
  else if (event.key === "/") $("command").focus();
  else if (event.key === "t") {
    const thread = document.activeElement?.closest("#messages > .message")?.querySelector(".thread");
    if (thread) thread.open = !thread.open;
  } else return;
  event.preventDefault();
});

$("person").addEventListener("change", () => {
  sessionStorage.setItem("person", person());
  draw();
  drawModal();
});

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [command, ...rest] = $("command").value.trim().split(" ");
  if (command === "") return;
  if (command !== "/rekey") {
    $("notice").textContent = `${command} is nothing that Rekey knows; begin with /rekey`;
    return;
  }
  $("notice").textContent = "";
  $("command").value = "";
  const { problem } = await send("command", { text: rest.join(" ") });
  $("notice").textContent = problem ?? "";
});

const events = new EventSource("events");
events.onmessage = ({ data }) => {
  $("notice").classList.remove("lost");
  show(JSON.parse(data));
};
events.onopen = () => {
  if ($("notice").dataset.lost) $("notice").textContent = "";
  delete $("notice").dataset.lost;
};
events.onerror = () => {
  $("notice").textContent = "The local Slack does not answer; trying again.";
  $("notice").dataset.lost = "yes";
};
