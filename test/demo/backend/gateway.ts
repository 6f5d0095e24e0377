/** The gateway: signs a token, writes an order, caches it. Every request uses all three secrets. */

import { serve } from "./serve.ts";
import { readSettings } from "./settings.ts";
import { openCache, openDatabase } from "./stores.ts";
import { tokensFrom } from "./tokens.ts";

const settings = await readSettings();
const tokens = tokensFrom(settings);
const database = openDatabase(settings);
const cache = await openCache(settings);
await database.query("select 1");

serve({
  generation: tokens.generation,
  async handle() {
    const { rows } = await database.query("insert into orders (made_at) values (now()) returning id");
    const id = String(rows[0].id);
    await cache.put(`order:${id}`, "made", 60);
    return { status: 200, body: { id, token: await tokens.sign(id) } };
  },
  async close() {
    await database.end();
    await cache.close();
  },
});
