/** Slack's limits for what a message may hold, all of them hard: one character too many and nothing is posted. */

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const length = (value: unknown) => (typeof value === "string" ? value.length : -1);
const within = (value: unknown, least: number, most: number) =>
  length(value) >= least && length(value) <= most;

/** @returns Slack's word for what is wrong, or undefined */
export function complaintAbout(text: unknown, blocks: unknown): string | undefined {
  if (blocks !== undefined && !Array.isArray(blocks)) return "invalid_blocks_format";
  // Slack itself takes blocks without a text, and then notifications and screen readers say nothing.
  if (!within(text, 1, Number.POSITIVE_INFINITY)) return "no_text";
  if (blocks === undefined) return undefined;
  const ids = blocks.flatMap((block) => (isObject(block) && block["block_id"] ? [block["block_id"]] : []));
  const isFine = blocks.length <= 50 && blocks.every(isBlock) && new Set(ids).size === ids.length;
  return isFine ? undefined : "invalid_blocks";
}

export function isBlock(block: unknown): boolean {
  if (!isObject(block) || !(block["block_id"] === undefined || within(block["block_id"], 1, 255)))
    return false;
  switch (block["type"]) {
    case "section":
      return isSection(block);
    case "header":
      return isText(block["text"], 150, "plain_text");
    case "divider":
      return true;
    case "context":
      return isList(block["elements"], 10, (element) => isText(element, 3000) || isImage(element));
    case "actions":
      return isActions(block["elements"]);
    case "image":
      return isImage(block);
    default:
      return false;
  }
}

function isSection({ text, fields, accessory }: Json): boolean {
  if (text === undefined && fields === undefined) return false;
  return (
    (text === undefined || isText(text, 3000)) &&
    (fields === undefined || isList(fields, 10, (field) => isText(field, 2000))) &&
    (accessory === undefined || isButton(accessory) || isImage(accessory))
  );
}

function isActions(elements: unknown): boolean {
  if (!isList(elements, 25, isButton)) return false;
  const ids = (elements as Json[]).map((element) => element["action_id"]);
  return new Set(ids).size === ids.length;
}

function isButton(element: unknown): boolean {
  if (!isObject(element) || element["type"] !== "button") return false;
  const { text, action_id: actionId, value, url, style, confirm } = element;
  return (
    isText(text, 75, "plain_text") &&
    (actionId === undefined || within(actionId, 1, 255)) &&
    (value === undefined || within(value, 0, 2000)) &&
    (url === undefined || within(url, 1, 3000)) &&
    (style === undefined || style === "primary" || style === "danger") &&
    (confirm === undefined || isConfirm(confirm))
  );
}

function isConfirm(confirm: unknown): boolean {
  if (!isObject(confirm)) return false;
  const { title, text, confirm: yes, deny } = confirm;
  return (
    isText(title, 100, "plain_text") &&
    isText(text, 300) &&
    isText(yes, 30, "plain_text") &&
    isText(deny, 30, "plain_text")
  );
}

function isText(value: unknown, most: number, only?: "plain_text"): boolean {
  if (!isObject(value)) return false;
  const kinds = only ? [only] : ["plain_text", "mrkdwn"];
  return kinds.includes(String(value["type"])) && within(value["text"], 1, most);
}

const isImage = (value: unknown) =>
  isObject(value) &&
  value["type"] === "image" &&
  within(value["image_url"], 1, 3000) &&
  within(value["alt_text"], 1, 2000);

const isList = (value: unknown, most: number, isFine: (item: unknown) => boolean) =>
  Array.isArray(value) && value.length >= 1 && value.length <= most && value.every(isFine);
