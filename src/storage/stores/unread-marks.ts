import { operation } from '#storage/operation.ts'
import { integer, row, text } from '#storage/row.ts'

/** A receipt passes what a user had unread: up to the event, in all threads or in that of the receipt. */
export const unreadMarksPassed = operation('unread_marks_passed', {
  row: row({ user: integer(), room: integer(), eventPos: integer(), thread: text() }),
  statement: {
    remove: 'unread_marks',
    where: `t."user" = :user AND t.room = :room AND t.pos <= :event_pos
      AND (:thread = '' OR t.thread = :thread OR (:thread = 'main' AND t.thread IS NULL))`,
  },
})
