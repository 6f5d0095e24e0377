/** Slack's requests as they arrive, with what Rekey does not look at left in. */

export const CLICK = {
  type: "block_actions",
  team: { id: "T0REKEY", domain: "rekey" },
  user: { id: "U0ALICE", name: "alice", team_id: "T0REKEY" },
  api_app_id: "A0REKEY",
  token: "deprecated",
  container: { type: "message", message_ts: "1764072000.000100", channel_id: "C0SECURITY" },
  trigger_id: "12.34.abcdef",
  channel: { id: "C0SECURITY", name: "security" },
  message: { ts: "1764072000.000100", text: "A secret may have leaked", blocks: [] },
  response_url: "https://hooks.slack.com/actions/T0REKEY/1/x",
  actions: [{ type: "button", action_id: "approve", block_id: "b1", value: "request-7", action_ts: "1.2" }],
};

export const MODAL = {
  type: "view_submission",
  team: { id: "T0REKEY", domain: "rekey" },
  user: { id: "U0ALICE", team_id: "T0REKEY" },
  api_app_id: "A0REKEY",
  view: {
    id: "V0",
    callback_id: "declare",
    private_metadata: "incident-1",
    state: {
      values: {
        why: { text: { type: "plain_text_input", value: "seen in a\npublic\u0007\u202e place" } },
        how: { grave: { type: "static_select", selected_option: { value: "P1" } } },
      },
    },
  },
};

export const COMMAND = {
  team_id: "T0REKEY",
  api_app_id: "A0REKEY",
  channel_id: "C0SECURITY",
  user_id: "U0ALICE",
  command: "/rekey",
  text: "leak shop/database & more",
  trigger_id: "12.34.abcdef",
  response_url: "https://hooks.slack.com/commands/T0REKEY/1/x",
};

export const payloadForm = (payload: unknown) => `payload=${encodeURIComponent(JSON.stringify(payload))}`;

export const commandForm = (fields: Readonly<Record<string, string>>) =>
  new URLSearchParams(fields).toString();
