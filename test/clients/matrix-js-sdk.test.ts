import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventType, MsgType, Preset, RelationType } from 'matrix-js-sdk'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { SdkDevice, verifyEachOther } from './sdk-client.ts'

// Two humans with matrix-js-sdk and its Rust crypto, as its users have it, against a server in a process of its own.

const OPEN = 'enable_registration: true\nenable_registration_without_verification: true'

for (const kind of ['sqlite', 'postgres'] as const) {
  test(`two clients hold an encrypted conversation that survives a restart and kill -9 (${kind})`, async (t) => {
    await using server = await ServerProcess.start(kind, [], OPEN)
    const baseUrl = server.url
    await using alice = await SdkDevice.register({ baseUrl, username: 'alice', password: 'correct horse battery' })
    await using bob = await SdkDevice.register({ baseUrl, username: 'bob', password: 'staple and a paperclip' })
    let roomId = ''
    let first = ''
    const file = Buffer.from('what is in the file\n'.repeat(5_000))

    await t.test('they bootstrap cross-signing, secret storage and a key backup', async () => {
      for (const device of [alice, bob]) {
        await device.secureAccount()
        assert.equal(await device.crypto.isCrossSigningReady(), true)
        assert.equal(await device.crypto.isSecretStorageReady(), true)
        assert.notEqual(await device.crypto.getActiveSessionBackupVersion(), null)
      }
    })

    await t.test('they come together in an encrypted room', async () => {
      const made = await alice.client.createRoom({
        preset: Preset.PrivateChat,
        name: 'Two of us',
        invite: [bob.userId],
        initial_state: [
          { type: EventType.RoomEncryption, state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
        ],
      })
      roomId = made.room_id
      await bob.until('the invitation', () => bob.client.getRoom(roomId)?.getMyMembership() === 'invite')
      await bob.client.joinRoom(roomId)
      await alice.until('bob', () => alice.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'join')
    })

    await t.test('they verify each other by emoji', async () => {
      await verifyEachOther(alice, bob)
      for (const [one, other] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        await one.until('the signature', async () => {
          const status = await one.crypto.getUserVerificationStatus(other.userId)
          return status.isCrossSigningVerified()
        })
      }
    })

    await t.test('they talk, with an edit, a reaction, a reply, a redaction and a file', async () => {
      const said = await alice.client.sendTextMessage(roomId, 'Hello, Bob')
      first = said.event_id
      const heard = await bob.message(roomId, 'Hello, Bob')
      assert.equal(heard.isEncrypted(), true)
      assert.equal(heard.getId(), first)

      await alice.client.sendMessage(roomId, {
        msgtype: MsgType.Text,
        body: '* Hello, dear Bob',
        'm.new_content': { msgtype: MsgType.Text, body: 'Hello, dear Bob' },
        'm.relates_to': { rel_type: RelationType.Replace, event_id: first },
      })
      await bob.until('the edit', () => heard.getContent()['body'] === 'Hello, dear Bob')

      await bob.client.sendEvent(roomId, EventType.Reaction, {
        'm.relates_to': { rel_type: RelationType.Annotation, event_id: first, key: '👍' },
      })
      await alice.event(roomId, 'the reaction', (event) => event.getRelation()?.key === '👍')

      await bob.client.sendMessage(roomId, {
        msgtype: MsgType.Text,
        body: 'Hello yourself',
        'm.relates_to': { 'm.in_reply_to': { event_id: first } },
      })
      const reply = await alice.message(roomId, 'Hello yourself')
      assert.equal(reply.replyEventId, first)

      const { event_id: slip } = await bob.client.sendTextMessage(roomId, 'I did not mean to say this')
      const regretted = await alice.message(roomId, 'I did not mean to say this')
      await bob.client.redactEvent(roomId, slip)
      await alice.until('the redaction', () => regretted.isRedacted())

      await bob.sendFile(roomId, 'notes.txt', file)
      const told = await alice.message(roomId, 'notes.txt')
      assert.deepEqual(await alice.readFile(told), file)
    })

    await t.test('a second device restores the key backup and reads the history', async () => {
      await alice.backUp()
      await using second = await SdkDevice.logIn(alice.account, alice.recoveryKey)
      const restored = await second.recover()
      assert.equal(restored.imported, restored.total)
      assert.equal(restored.total, (await alice.crypto.exportRoomKeys()).length)
      await bob.until("the owner's signature on the device", async () => {
        const status = await bob.crypto.getDeviceVerificationStatus(second.userId, second.deviceId)
        return status?.crossSigningVerified
      })
      for (const body of ['Hello yourself', 'notes.txt']) await second.message(roomId, body)
      const edited = await second.event(roomId, 'the first message', (event) => event.getId() === first)
      await second.until('the edit', () => edited.getContent()['body'] === 'Hello, dear Bob')
      const told = await second.message(roomId, 'notes.txt')
      assert.deepEqual(await second.readFile(told), file)
      await second.client.sendTextMessage(roomId, 'From my other device')
      await bob.message(roomId, 'From my other device')
      await alice.message(roomId, 'From my other device')
    })

    const goOn = async (after: string) => {
      for (const device of [alice, bob]) device.retry()
      await alice.client.sendTextMessage(roomId, `Are you there after ${after}?`)
      await bob.message(roomId, `Are you there after ${after}?`)
      await bob.client.sendTextMessage(roomId, `I am, after ${after}`)
      const heard = await alice.message(roomId, `I am, after ${after}`)
      assert.equal(heard.isEncrypted(), true)
    }

    await t.test('they talk on after a restart', async () => {
      await server.restart()
      await goOn('a restart')
    })

    const amidst = Array.from({ length: 12 }, (_, n) => `Said while the server was killed, ${n}`)

    await t.test('they talk on after kill -9, and what was being sent arrives once', async () => {
      const sending = amidst.map((body) => alice.client.sendTextMessage(roomId, body))
      const sent = Promise.allSettled(sending)
      await Promise.any(sending)
      await server.kill()
      await sent
      const unsent = 'Said while there was no server'
      await assert.rejects(alice.client.sendTextMessage(roomId, unsent))
      amidst.push(unsent)
      await server.launch()
      await goOn('kill -9')
      await alice.resend(roomId)
      for (const body of amidst) await bob.message(roomId, body)
    })

    await t.test('a device that comes after the kill has all of it, and is told what comes', async () => {
      await bob.backUp()
      await using third = await SdkDevice.logIn(bob.account, bob.recoveryKey)
      await third.recover()
      for (const body of amidst) await third.message(roomId, body)
      const events = third.client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
      const said = events.map((event) => event.getClearContent()?.['body'])
      assert.deepEqual(said.filter((body) => amidst.includes(body)).sort(), amidst.toSorted())
      await alice.until('the new device', async () => {
        const devices = await alice.crypto.getUserDeviceInfo([bob.userId])
        return devices.get(bob.userId)?.has(third.deviceId)
      })
      await alice.client.sendTextMessage(roomId, 'Welcome to your new device')
      await third.message(roomId, 'Welcome to your new device')
    })
  })
}
