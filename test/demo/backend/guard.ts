/** A guard: lets a request through when its token verifies and its order is known to the cache or the database. */

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
  async handle({ headers }) {
    const id = await tokens.verify((headers.authorization ?? "").replace(/^Bearer /, ""));
    if (id === undefined) return { status: 401 };
    const [cached, { rows }] = await Promise.all([
      cache.get(`order:${id}`),
      database.query("select id from orders where id = $1", [id]),
    ]);
    return { status: cached !== null || rows.length === 1 ? 200 : 404 };
  },
  async close() {
    await database.end();
    await cache.close();
  },
});
