import assert from 'node:assert/strict'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { Administrator } from '#test/helpers/administrator.ts'
import { TestClient } from '#test/helpers/client.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

/** Two people who talk on a server now and then, and who remember what was said. */
export class Conversation {
  readonly #administrator: Administrator
  #talking: { readonly alice: TestClient; readonly bob: TestClient; readonly roomId: string } | undefined
  readonly #said: string[] = []

  constructor(administrator: Administrator) {
    this.#administrator = administrator
  }

  async goOn(): Promise<void> {
    const { alice, bob, roomId } = await this.#start()
    this.#said.push(await say(alice, roomId, 'Are you there?'), await say(bob, roomId, 'I am.'))
  }

  /** Both are logged in still, and everything is there that they said. */
  async check(): Promise<void> {
    if (this.#talking === undefined) return this.goOn()
    const { alice, bob, roomId } = this.#talking
    for (const one of [alice, bob]) {
      assert.equal((await one.call(getTokenOwner)).device_id, one.deviceId)
      const kept = new Set(await history(one, roomId, undefined, 100))
      assert.deepEqual(
        this.#said.filter((id) => !kept.has(id)),
        [],
        'everything that was said is there',
      )
    }
  }

  async #start() {
    if (this.#talking !== undefined) return this.#talking
    const { url } = this.#administrator
    const secret = String(this.#administrator.configuration()['registration_shared_secret'])
    const registered = (name: string) =>
      new TestClient({ url: () => url, serverName: 'page.example' }).registerBySecret(name, { secret, admin: false })
    const [alice, bob] = [await registered('alice'), await registered('bob')]
    const roomId = await roomOf([alice, bob])
    this.#talking = { alice, bob, roomId }
    return this.#talking
  }
}
