import { createRoom } from '#api/client/create-room.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomCreator } from '#services/rooms/create-room.ts'

/** Making rooms. https://spec.matrix.org/v1.19/client-server-api/#creation */
export const createRoomRoutes = ({ creator }: { readonly creator: RoomCreator }): Route[] => [
  route(createRoom, async ({ requester, body }) => ({
    room_id: await creator.create(requester, {
      visibility: body.visibility ?? 'private',
      aliasLocalpart: body.room_alias_name,
      name: body.name,
      topic: body.topic,
      invite: body.invite ?? [],
      invitesByAddress: (body.invite_3pid ?? []).length > 0,
      version: body.room_version,
      creationContent: body.creation_content ?? {},
      initialState: (body.initial_state ?? []).map(({ type, state_key, content }) => ({
        type,
        stateKey: state_key ?? '',
        content,
      })),
      preset: body.preset,
      isDirect: body.is_direct ?? false,
      powerLevelOverride: body.power_level_content_override,
    }),
  })),
]
