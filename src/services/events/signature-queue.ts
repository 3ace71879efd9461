import { type SigningKey, signTextBeside } from '#protocol/signing/signing-key.ts'
import { nextTurn } from '#util/next-turn.ts'

const AT_ONCE = 8

type Waiting = { readonly text: string; readonly settle: (signature: Promise<string>) => void }

/**
 * Has texts signed by other threads while the main thread goes on. They are handed over a few at a time, at the latest when the event
 * loop's turn ends: a thread that is woken for each of them costs more than the handing over.
 */
export class SignatureQueue {
  readonly #key: SigningKey
  #waiting: Waiting[] = []

  constructor(key: SigningKey) {
    this.#key = key
  }

  /** The signature of text in unpadded base64. */
  readonly sign = (text: string): Promise<string> => {
    if (this.#waiting.length === 0) void nextTurn().then(() => this.#handOver())
    const signature = new Promise<string>((resolve) => this.#waiting.push({ text, settle: resolve }))
    if (this.#waiting.length >= AT_ONCE) this.#handOver()
    return signature
  }

  #handOver(): void {
    const texts = this.#waiting
    this.#waiting = []
    for (const { text, settle } of texts) settle(signTextBeside(text, this.#key))
  }
}
