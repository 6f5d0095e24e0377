/**
 * Messages as elements. Text goes in as text nodes and nothing else: there is no innerHTML on this page, and its policy
 * would let nothing run that got in all the same.
 */
import { EMOJI } from "./emoji.ts";
import { parseMrkdwn, parsePlain } from "./mrkdwn.ts";

/** @param {Record<string, string | boolean | ((event: Event) => void)>} properties `on…` are listeners, the rest attributes */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ""));
  return element;
}

const WRAPPERS = { bold: "strong", italic: "em", strike: "s", quote: "blockquote" };

function drawSpan(span, names) {
  switch (span.kind) {
    case "code":
      return el("code", {}, span.text);
    case "pre":
      return el("pre", {}, span.text.replace(/\n$/, ""));
    case "link":
      return el("a", { href: span.href, target: "_blank", rel: "noreferrer" }, span.text);
    case "mention": {
      const name = names.get(span.text.slice(1));
      return el("span", { class: "mention" }, name ? `${span.text.slice(0, 1)}${name}` : span.text);
    }
    case "emoji": {
      const sign = EMOJI[span.name];
      const shown = `:${span.name}:`;
      return sign
        ? el("span", { class: "emoji", role: "img", "aria-label": span.name, title: shown }, sign)
        : shown;
    }
    case "text":
      return span.text;
    default:
      return el(WRAPPERS[span.kind], {}, ...span.spans.map((one) => drawSpan(one, names)));
  }
}

/** @param text one of Slack's text objects */
export function drawText(text, names) {
  const said = typeof text?.text === "string" ? text.text : "";
  const spans =
    text?.type === "mrkdwn"
      ? parseMrkdwn(said)
      : text?.emoji === false
        ? [{ kind: "text", text: said }]
        : parsePlain(said);
  return spans.map((span) => drawSpan(span, names));
}

function drawButton(button, at, tools) {
  const key = `${at}/${button.action_id ?? ""}`;
  const press = tools.press && (() => tools.press(button, at));
  return el(
    "button",
    {
      type: "button",
      class: button.style ?? "",
      "data-key": key,
      disabled: press === undefined || tools.isBusy(key),
      "aria-busy": tools.isBusy?.(key) ? "true" : undefined,
      ...(press ? { onclick: press } : {}),
    },
    ...drawText(button.text, tools.names),
  );
}

function drawElement(element, at, tools) {
  if (element?.type === "button") return drawButton(element, at, tools);
  if (element?.type === "image") return el("span", { class: "image" }, `🖼 ${element.alt_text ?? ""}`);
  return el("span", {}, ...drawText(element, tools.names));
}

export function drawBlock(block, at, tools) {
  const { names } = tools;
  switch (block?.type) {
    case "header":
      return el("h2", {}, ...drawText(block.text, names));
    case "section":
      return el(
        "div",
        { class: "section" },
        block.text ? el("div", { class: "text" }, ...drawText(block.text, names)) : undefined,
        block.fields
          ? el(
              "div",
              { class: "fields" },
              ...block.fields.map((field) => el("div", { class: "text" }, ...drawText(field, names))),
            )
          : undefined,
        block.accessory
          ? el("div", { class: "accessory" }, drawElement(block.accessory, at, tools))
          : undefined,
      );
    case "context":
      return el(
        "div",
        { class: "context" },
        ...block.elements.map((element) => drawElement(element, at, tools)),
      );
    case "actions":
      return el(
        "div",
        { class: "actions" },
        ...block.elements.map((element) => drawElement(element, at, tools)),
      );
    case "divider":
      return el("hr");
    default:
      return el("div", { class: "context" }, `A block of type ${block?.type} that this page does not draw`);
  }
}

/** Its blocks, or its text if it has none. */
export function drawRevision({ text, blocks }, tools) {
  if (!blocks?.length)
    return [el("div", { class: "text" }, ...drawText({ type: "mrkdwn", text }, tools.names))];
  return blocks.map((block, at) => drawBlock(block, at, tools));
}

export const timeOf = (atMs) => {
  const date = new Date(atMs);
  const shown = date.toLocaleTimeString("en-GB");
  return el("time", { datetime: date.toISOString(), title: date.toISOString() }, shown);
};
