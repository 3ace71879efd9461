import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { JsonObject } from '#util/json.ts'
import { TestClient } from './client.ts'

type Wishes = Readonly<Record<string, unknown>>

/** Makes a room of the first client's in which the others are. */
export const roomOf = async (
  [creator, ...others]: readonly [TestClient, ...TestClient[]],
  wishes: Wishes = {},
): Promise<string> => {
  const invite = others.map(({ userId }) => userId as UserId)
  const { room_id: roomId } = await creator.call(createRoom, { body: { invite, ...wishes } as never })
  for (const other of others) await other.call(joinRoomById, { params: { roomId } })
  return roomId
}

/** Says something and gives the event's ID. */
export const say = async (client: TestClient, roomId: string, body: string, more: JsonObject = {}): Promise<string> => {
  const answer = await client.call(sendMessage, {
    params: { roomId, eventType: 'm.room.message', txnId: TestClient.txn() },
    body: { msgtype: 'm.text', body, ...more },
  })
  return answer.event_id
}

/** Sends any message event. */
export const send = async (client: TestClient, roomId: string, eventType: string, body: JsonObject): Promise<string> =>
  (await client.call(sendMessage, { params: { roomId, eventType, txnId: TestClient.txn() }, body })).event_id

/** Sets state. */
export const setState = async (
  client: TestClient,
  roomId: string,
  { type, stateKey = '', content }: { readonly type: string; readonly stateKey?: string; readonly content: JsonObject },
): Promise<string> =>
  (await client.call(setRoomStateWithKey, { params: { roomId, eventType: type, stateKey }, body: content })).event_id

/** All events of the room that the client may see, oldest first, by paging back from `from` or the end. */
export const history = async (client: TestClient, roomId: string, from?: string, limit = 7): Promise<string[]> => {
  const events: string[] = []
  for (let token = from; ; ) {
    const page = await client.call(getRoomEvents, {
      params: { roomId },
      query: { dir: 'b', limit: String(limit), ...(token === undefined ? {} : { from: token }) },
    })
    events.push(...page.chunk.map(({ event_id }) => event_id))
    if (page.end === undefined) return events.reverse()
    token = page.end
  }
}
