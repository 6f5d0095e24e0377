/** Modals that Rekey opens, and the question before a click that asks for one. Both are the browser's own dialogs. */
import { drawBlock, drawText, el } from "./draw.js";

const $ = (id) => document.getElementById(id);

/** @returns whether the person said yes */
export function ask({ title, text, confirm, deny }, names) {
  const dialog = $("confirm");
  $("confirm-title").replaceChildren(...drawText(title, names));
  $("confirm-text").replaceChildren(...drawText(text, names));
  $("confirm-yes").replaceChildren(...drawText(confirm, names));
  $("confirm-no").replaceChildren(...drawText(deny, names));
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function drawInput(element, name, people) {
  const { type, placeholder } = element;
  const shared = { name, id: name };
  const first = el("option", { value: "" }, placeholder?.text ?? "Choose");
  if (type === "static_select" || type === "radio_buttons") {
    const chosen = element.initial_option?.value;
    const options = element.options.map(({ text, value }) =>
      el("option", { value, selected: value === chosen }, text.text),
    );
    return el("select", shared, first, ...options);
  }
  if (type === "users_select")
    return el("select", shared, first, ...people.map(({ id, name }) => el("option", { value: id }, name)));
  if (type === "number_input") {
    const { min_value: min, max_value: max, is_decimal_allowed: isDecimal, initial_value: value } = element;
    return el("input", { ...shared, type: "number", min, max, value, step: isDecimal ? "any" : "1" });
  }
  const limits = {
    minlength: element.min_length === undefined ? undefined : String(element.min_length),
    maxlength: String(element.max_length ?? 3000),
    placeholder: placeholder?.text,
  };
  if (element.multiline)
    return el("textarea", { ...shared, ...limits, rows: "4" }, element.initial_value ?? "");
  return el("input", { ...shared, ...limits, value: element.initial_value ?? "" });
}

/** As view_submission carries it. */
function stateOf(element, typed) {
  if (element.type === "users_select") return { type: element.type, selected_user: typed || null };
  if (element.type === "static_select" || element.type === "radio_buttons") {
    const option = element.options.find(({ value }) => value === typed);
    return { type: element.type, selected_option: option ?? null };
  }
  return { type: element.type, value: typed || null };
}

/**
 * @param opened `{ id, view }`
 * @param send what was typed, by block and action -> what Rekey answered
 * @param done called when it is closed, by whomever
 */
export function showModal(opened, { names, people, send, done }) {
  const { view } = opened;
  const inputs = [];
  const blocks = (view.blocks ?? []).map((block, at) => {
    if (block.type !== "input") return drawBlock(block, at, { names, isBusy: () => false });
    const name = `input-${at}`;
    inputs.push({ block, name });
    return el(
      "div",
      { class: "input" },
      el("label", { for: name }, ...drawText(block.label, names), block.optional ? " (optional)" : ""),
      drawInput(block.element, name, people),
      block.hint ? el("p", { class: "hint" }, ...drawText(block.hint, names)) : undefined,
      el("p", { class: "problem", id: `${name}-problem`, role: "alert" }),
    );
  });
  $("modal-title").replaceChildren(...drawText(view.title, names));
  $("modal-blocks").replaceChildren(...blocks);
  $("modal-problem").replaceChildren();
  $("modal-close").replaceChildren(view.close?.text ?? "Cancel");
  const submit = $("modal-submit");
  submit.replaceChildren(view.submit?.text ?? "Submit");
  submit.hidden = inputs.length === 0 && view.submit === undefined;
  submit.disabled = false;
  const dialog = $("modal");

  const complain = (problems) => {
    for (const { block, name } of inputs)
      $(`${name}-problem`).replaceChildren(problems[block.block_id] ?? "");
  };
  $("modal-form").onsubmit = async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    const typed = inputs.map(({ block, name }) => ({ block, value: $(name).value.trim() }));
    const missing = typed.filter(({ block, value }) => !block.optional && value === "");
    complain(Object.fromEntries(missing.map(({ block }) => [block.block_id, "Please fill this in."])));
    if (missing.length > 0) return;
    submit.disabled = true;
    const values = {};
    for (const { block, value } of typed)
      values[block.block_id] = { [block.element.action_id]: stateOf(block.element, value) };
    const { errors, problem } = await send(values);
    submit.disabled = false;
    complain(errors ?? {});
    $("modal-problem").replaceChildren(problem ?? "");
  };
  $("modal-close").onclick = () => dialog.close();
  dialog.onclose = done;
  if (!dialog.open) dialog.showModal();
}

export function closeModal() {
  const dialog = $("modal");
  dialog.onclose = null;
  if (dialog.open) dialog.close();
}
