import { createHmac, hash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { refusal } from './connect-failure.ts'
import { saslprep } from './saslprep.ts'

/** More rounds than any server asks for; a server that wants more only wants to keep us busy. */
const MAX_ROUNDS = 10_000_000

/** How the exchange is tied to the TLS connection: `bound` to the certificate, `able` but not offered by the server, or neither. */
export type Binding =
  | { readonly kind: 'bound'; readonly certificateHash: Buffer }
  | { readonly kind: 'able' }
  | { readonly kind: 'unable' }

/** One sign-in by SCRAM-SHA-256. https://www.rfc-editor.org/rfc/rfc5802 https://www.rfc-editor.org/rfc/rfc7677 */
export class Scram {
  readonly mechanism: string
  readonly #header: string
  readonly #binding: Binding
  readonly #nonce = randomBytes(18).toString('base64')
  #serverSignature: Buffer | undefined
  #isDone = false

  constructor(binding: Binding) {
    this.mechanism = binding.kind === 'bound' ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
    this.#binding = binding
    this.#header = { bound: 'p=tls-server-end-point,,', able: 'y,,', unable: 'n,,' }[binding.kind]
  }

  /** The server has proved that it knows the password. */
  get isDone(): boolean {
    return this.#isDone
  }

  first(): string {
    return `${this.#header}n=,r=${this.#nonce}`
  }

  /** Answers the challenge of the server with the proof. */
  async proof(challenge: string, password: string): Promise<string> {
    const [nonce, salt, rounds] = [
      attribute(challenge, 'r'),
      attribute(challenge, 's'),
      Number(attribute(challenge, 'i')),
    ]
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw refusal('the server sent an invalid SCRAM nonce')
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS)
      throw refusal('the server asked for an invalid number of SCRAM rounds')
    const data = this.#binding.kind === 'bound' ? this.#binding.certificateHash : Buffer.alloc(0)
    const bound = Buffer.concat([Buffer.from(this.#header), data]).toString('base64')
    const withoutProof = `c=${bound},r=${nonce}`
    const said = `n=,r=${this.#nonce},${challenge},${withoutProof}`
    const salted = await promisify(pbkdf2)(saslprep(password), Buffer.from(salt, 'base64'), rounds, 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(hash('sha256', clientKey, 'buffer'), said)
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), said)
    return `${withoutProof},p=${Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number))).toString('base64')}`
  }

  /** Checks the proof of the server. */
  finish(message: string): void {
    const given = Buffer.from(attribute(message, 'v'), 'base64')
    const expected = this.#serverSignature
    if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw refusal('the server does not know the password: its SCRAM signature is wrong')
    this.#isDone = true
  }
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

function attribute(message: string, name: string): string {
  const found = message.split(',').find((part) => part.startsWith(`${name}=`))
  if (found === undefined) throw refusal('the server sent an invalid SCRAM message')
  return found.slice(2)
}
