import { deleteRoomTag, getRoomTags, setRoomTag } from '#api/client/tags.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { RoomTags } from '#services/user-data/room-tags.ts'

/** Tags of rooms. https://spec.matrix.org/v1.19/client-server-api/#room-tagging */
export const tagRoutes = ({ roomTags }: { readonly roomTags: RoomTags }): Route[] => [
  route(
    getRoomTags,
    async ({ requester, params }) => new JsonText(JSON.stringify({ tags: await roomTags.list(requester, params) })),
  ),
  route(setRoomTag, async ({ requester, params, body }) => {
    await roomTags.set(requester, params, params.tag, body)
    return {}
  }),
  route(deleteRoomTag, async ({ requester, params }) => {
    await roomTags.remove(requester, params, params.tag)
    return {}
  }),
]
