// The tables. To add one: write it here, then `npm run makemigrations` and `npm run migrate`.

import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const messages = sqliteTable('messages', {
  id: integer('id').primaryKey(),
  content: text('content').notNull(),
  /** The node whose process executed the write. */
  nodeName: text('node_name').notNull(),
  /** ISO 8601, UTC. */
  createdAt: text('created_at').notNull(),
});
