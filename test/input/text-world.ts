import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { sync } from '#api/client/sync.ts'
import type { TestClient } from '#test/helpers/client.ts'
import type { TestHomeserver } from '#test/helpers/homeserver.ts'

/** What the text is tried in. */
export type TextWorld = {
  readonly homeserver: TestHomeserver
  readonly alice: TestClient
  readonly bob: TestClient
  /** Of Alice's, in which Bob is. */
  readonly roomId: string
  /** Where a sync of theirs stood before the text was set. */
  readonly since: string
}

/** Two users in a room. */
export const textWorld = async (homeserver: TestHomeserver): Promise<Omit<TextWorld, 'since'>> => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const { room_id: roomId } = await alice.call(createRoom, { body: { preset: 'public_chat' } })
  await bob.call(joinRoomById, { params: { roomId } })
  return { homeserver, alice, bob, roomId }
}

/** What came since, for a client. */
export const news = (client: TestClient, since: string) => client.call(sync, { query: { since, timeout: '0' } })

/** The timeline and state events of a room that came since. */
export const newEvents = async (client: TestClient, { roomId, since }: TextWorld) => {
  const room = (await news(client, since)).rooms?.join?.[roomId]
  return [...(room?.state?.events ?? []), ...(room?.timeline?.events ?? [])]
}

/** Where a sync of the client's stands now. */
export const syncNow = async (client: TestClient): Promise<string> =>
  (await client.call(sync, { query: { timeout: '0' } })).next_batch
