import type { RoomId } from '#protocol/identifiers.ts'
import type { TestClient } from './client.ts'
import { roomOf, say, send, setState } from './rooms.ts'

/** A room with something of everything in it. */
export const busyRoom = async (alice: TestClient, bob: TestClient, messages: number): Promise<RoomId> => {
  const alias = `room${Math.random().toString(36).slice(2)}`
  const roomId = await roomOf([alice, bob], { room_alias_name: alias, preset: 'public_chat' })
  const root = await say(alice, roomId, 'root')
  await say(bob, roomId, 'in a thread', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  await say(bob, roomId, 'mention', { 'm.mentions': { user_ids: [alice.userId] } })
  await send(alice, roomId, 'm.room.redaction', { redacts: root })
  for (let at = 0; at < messages; at += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, messages - at) }, (_, n) =>
        n % 5 === 0
          ? setState(alice, roomId, { type: 'm.test', stateKey: `${n}`, content: { at } })
          : say(n % 2 ? alice : bob, roomId, `${at + n} ${'x'.repeat(500)}`),
      ),
    )
  return roomId as RoomId
}
