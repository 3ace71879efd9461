// Over 300 lines: the one client that the scenarios drive, with the storage and the cryptography it needs.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import {
  AuthType,
  type ClientEvent,
  createClient,
  EventStatus,
  type MatrixClient,
  MatrixError,
  type MatrixEvent,
  Method,
} from 'matrix-js-sdk'
import { CryptoEvent, type GeneratedSecretStorageKey } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { Logger } from 'matrix-js-sdk/lib/logger.js'

/** How long the parties have for each step. Steps end by what happens, so this is only how long a defect takes to be seen. */
const STEP_MS = 60_000

const quiet = (): void => {}
// Parts of the library do not ask for a logger but write to the console.
for (const name of ['log', 'trace', 'debug', 'info', 'warn', 'error'] as const) console[name] = quiet
const silent: Logger = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  getChild: () => silent,
}

/** Where an account can be used, and how. */
export type Account = { readonly baseUrl: string; readonly username: string; readonly password: string }

/** A key of secret storage, as the human behind an account keeps it. */
export type RecoveryKey = GeneratedSecretStorageKey

/** One device of a human who uses matrix-js-sdk with its Rust crypto. */
export class SdkDevice implements AsyncDisposable {
  readonly client: MatrixClient
  readonly account: Account
  /** The human's recovery key, once they made it or typed it in. */
  recoveryKey: RecoveryKey | undefined

  private constructor(client: MatrixClient, account: Account) {
    this.client = client
    this.account = account
  }

  /** Makes an account and a first device. */
  static async register(account: Account): Promise<SdkDevice> {
    const stranger = createClient({ baseUrl: account.baseUrl, logger: silent })
    const { username, password } = account
    const wish = { username, password, initial_device_display_name: `${username}'s first device` }
    const session = await stranger.registerRequest(wish).catch((error: unknown) => {
      if (error instanceof MatrixError && error.httpStatus === 401) return error.data['session'] as string
      throw error
    })
    if (typeof session !== 'string') throw new Error('registration asked for no stage')
    const made = await stranger.registerRequest({ ...wish, auth: { type: AuthType.Dummy, session } })
    return SdkDevice.#open(account, made)
  }

  /** Logs in on another device. */
  static async logIn(account: Account, recoveryKey: RecoveryKey | undefined): Promise<SdkDevice> {
    const stranger = createClient({ baseUrl: account.baseUrl, logger: silent })
    const made = await stranger.loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: account.username },
      password: account.password,
      initial_device_display_name: `${account.username}'s other device`,
    })
    const device = await SdkDevice.#open(account, made)
    device.recoveryKey = recoveryKey
    return device
  }

  static async #open(
    account: Account,
    session: { readonly user_id: string; readonly device_id?: string; readonly access_token?: string },
  ): Promise<SdkDevice> {
    const keyOf: { current: () => RecoveryKey | undefined } = { current: () => undefined }
    const client = createClient({
      baseUrl: account.baseUrl,
      userId: session.user_id,
      deviceId: session.device_id ?? '',
      accessToken: session.access_token ?? '',
      logger: silent,
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) => {
          const [keyId] = Object.keys(keys)
          const key = keyOf.current()?.privateKey
          return keyId === undefined || key === undefined ? null : [keyId, key]
        },
      },
    })
    const device = new SdkDevice(client, account)
    keyOf.current = () => device.recoveryKey
    await client.initRustCrypto({ useIndexedDB: false })
    await client.startClient({ initialSyncLimit: 20, pollTimeout: 10_000 })
    await device.until('the first sync', () => client.isInitialSyncComplete())
    return device
  }

  get userId(): string {
    return this.client.getSafeUserId()
  }

  get deviceId(): string {
    return this.client.getDeviceId() ?? ''
  }

  get crypto() {
    const crypto = this.client.getCrypto()
    if (crypto === undefined) throw new Error('the device has no crypto')
    return crypto
  }

  /** Waits until the client finds that something is so. Looks whenever the client says that anything happened. */
  async until<T>(what: string, look: () => Found<T> | Promise<Found<T>>): Promise<T> {
    const { client } = this
    let happened = () => {}
    const listener = () => happened()
    const timer = setTimeout(() => happened(), STEP_MS)
    for (const event of HAPPENINGS) client.on(event as ClientEvent.Sync, listener)
    try {
      for (const until = Date.now() + STEP_MS; Date.now() < until; ) {
        const next = new Promise<void>((resolve) => {
          happened = resolve
        })
        const found = await look()
        if (found !== undefined && found !== null && found !== false) return found
        await next
      }
      throw new Error(`${this.userId} waited in vain for ${what}`)
    } finally {
      clearTimeout(timer)
      for (const event of HAPPENINGS) client.off(event as ClientEvent.Sync, listener)
    }
  }

  /** The event of a room that fits, decrypted, when it is there. */
  async event(roomId: string, what: string, fits: (event: MatrixEvent) => boolean): Promise<MatrixEvent> {
    return this.until(what, () =>
      this.client
        .getRoom(roomId)
        ?.getLiveTimeline()
        .getEvents()
        .find((event) => !event.isBeingDecrypted() && !event.isDecryptionFailure() && fits(event)),
    )
  }

  /** The text message of those words. */
  async message(roomId: string, body: string): Promise<MatrixEvent> {
    return this.event(roomId, `the message '${body}'`, (event) => event.getClearContent()?.['body'] === body)
  }

  /** Sends again, under their transaction IDs, the messages of a room that the client could not send. */
  async resend(roomId: string): Promise<void> {
    const room = this.client.getRoom(roomId)
    const events = room?.getLiveTimeline().getEvents() ?? []
    for (const event of events) {
      if (room && event.status === EventStatus.NOT_SENT) await this.client.resendEvent(event, room)
    }
  }

  /** Makes cross-signing keys, secret storage with a new recovery key, and a key backup. The first keys need no password. */
  async secureAccount(): Promise<void> {
    await this.crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: async (makeRequest) => {
        await makeRequest(null)
      },
    })
    const recoveryKey = await this.crypto.createRecoveryKeyFromPassphrase()
    this.recoveryKey = recoveryKey
    await this.crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => recoveryKey,
      setupNewSecretStorage: true,
      setupNewKeyBackup: true,
    })
  }

  /** Becomes a device that its owner signed, with the keys of the backup, by the recovery key. */
  async recover() {
    const { crypto, userId } = this
    if (!(await crypto.userHasCrossSigningKeys(userId, true))) throw new Error('there are no cross-signing keys')
    await crypto.bootstrapCrossSigning({})
    await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
    return crypto.restoreKeyBackup()
  }

  /** Waits until all room keys that the device has are in the backup. */
  async backUp(): Promise<void> {
    const { client, crypto } = this
    await this.until('the backup of all keys', async () => {
      const [backup, keys] = await Promise.all([
        client.http.authedRequest<{ count: number }>(Method.Get, '/room_keys/version'),
        crypto.exportRoomKeys(),
      ])
      return backup.count === keys.length
    })
  }

  /** Encrypts a file, uploads it and tells the room of it. */
  async sendFile(roomId: string, name: string, bytes: Uint8Array): Promise<string> {
    const key = randomBytes(32)
    const iv = Buffer.concat([randomBytes(8), Buffer.alloc(8)])
    const cipher = createCipheriv('aes-256-ctr', key, iv)
    const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()])
    const { content_uri: url } = await this.client.uploadContent(new Uint8Array(encrypted) as never, {
      type: 'application/octet-stream',
      includeFilename: false,
    })
    const sha256 = unpadded(createHash('sha256').update(encrypted).digest('base64'))
    const file = {
      url,
      key: { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k: key.toString('base64url'), ext: true },
      iv: unpadded(iv.toString('base64')),
      hashes: { sha256 },
      v: 'v2',
    }
    const content = { msgtype: 'm.file', body: name, file, info: { size: bytes.length } }
    return (await this.client.sendMessage(roomId, content as never)).event_id
  }

  /** Downloads and decrypts the file of an event. */
  async readFile(event: MatrixEvent): Promise<Buffer> {
    const { file } = event.getContent<{
      file: { url: string; key: { k: string }; iv: string; hashes: { sha256: string } }
    }>()
    const url = this.client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true) ?? ''
    const answer = await fetch(url, { headers: { authorization: `Bearer ${this.client.getAccessToken()}` } })
    if (answer.status !== 200) throw new Error(`the file's download answered ${answer.status}`)
    const encrypted = Buffer.from(await answer.arrayBuffer())
    if (unpadded(createHash('sha256').update(encrypted).digest('base64')) !== file.hashes.sha256) {
      throw new Error('the file is another one')
    }
    const decipher = createDecipheriv(
      'aes-256-ctr',
      Buffer.from(file.key.k, 'base64url'),
      Buffer.from(file.iv, 'base64'),
    )
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  }

  /** Tries to reach the server at once, as a human does who knows that it is back. */
  retry(): void {
    this.client.retryImmediately()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.stopClient()
  }
}

/** What a client says that may be worth a look. */
const HAPPENINGS: readonly string[] = [
  'sync',
  'event',
  'toDeviceEvent',
  'Room.timeline',
  'Room.localEchoUpdated',
  'Room.redaction',
  'RoomMember.membership',
  'Event.decrypted',
  'Event.replaced',
  'Event.relationsCreated',
  ...Object.values(CryptoEvent),
]

const unpadded = (base64: string): string => base64.replace(/=+$/, '')

/**
 * Two humans compare what their devices show, and say that it is the same. The library holds requests and verifiers by weak references only:
 * what waits for them must hold them too, or it is collected with them.
 */
export const verifyEachOther = async (asking: SdkDevice, asked: SdkDevice): Promise<void> => {
  const arriving = asked.until('a verification request', () => {
    const [request] = asked.crypto.getVerificationRequestsToDeviceInProgress(asking.userId)
    return request
  })
  const request = await inTime('asking', asking.crypto.requestDeviceVerification(asked.userId, asked.deviceId))
  const received = await arriving
  await inTime('the acceptance', received.accept())
  await happening(request, 'change', () => request.phase >= PHASE.ready)
  const asker = await inTime('the start', request.startVerification('m.sas.v1'))
  const shown = Promise.all([emojiOf(asker), happening(received, 'change', () => received.verifier).then(emojiOf)])
  const [mine, theirs] = await shown
  if (JSON.stringify(mine.sas.emoji) !== JSON.stringify(theirs.sas.emoji)) throw new Error('the emoji differ')
  await inTime('both to confirm', Promise.all([mine.confirm(), theirs.confirm()]))
  await inTime('both to be done', Promise.all([mine.done, theirs.done]))
  for (const { phase } of [request, received]) if (phase !== PHASE.done) throw new Error(`the phase is ${phase}`)
}

/** A step that ends, or fails by what it was. */
async function inTime<T>(what: string, step: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), STEP_MS)
  return Promise.race([step, late]).finally(() => clearTimeout(timer))
}

const PHASE = { ready: 3, done: 6 }

type Found<T> = T | undefined | null | false

type Verifier = Awaited<
  ReturnType<Awaited<ReturnType<SdkDevice['crypto']['requestDeviceVerification']>>['startVerification']>
>

/** Lets the verification run until it shows its emoji. */
async function emojiOf(verifier: Verifier) {
  const done = verifier.verify()
  const shown = await Promise.race([
    happening(verifier, 'show_sas', () => verifier.getShowSasCallbacks()),
    done.then(() => undefined),
  ])
  if (shown === undefined || shown === null) throw new Error('the verification showed nothing')
  return { sas: shown.sas, confirm: () => shown.confirm(), done }
}

type Emitter = {
  on: (event: never, listener: never) => unknown
  off: (event: never, listener: never) => unknown
}

/** Waits until something is so of what says when it changes. */
function happening<T>(emitter: Emitter, event: string, look: () => T | undefined | null | false): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), STEP_MS)
    const check = () => {
      const found = look()
      if (found === undefined || found === null || found === false) return
      clearTimeout(timer)
      emitter.off(event as never, check as never)
      resolve(found)
    }
    emitter.on(event as never, check as never)
    check()
  })
}
