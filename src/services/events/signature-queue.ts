import { type SigningKey, signTextBeside } from '#protocol/signing/signing-key.ts'
import { nextTurn } from '#util/next-turn.ts'

type Waiting = { readonly text: string; readonly settle: (signature: Promise<string>) => void }

/**
 * Has texts signed by other threads. What a turn of the event loop brings is handed over together: a thread that is woken for each text
 * takes the main thread's place.
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
    return new Promise((resolve) => this.#waiting.push({ text, settle: resolve }))
  }

  #handOver(): void {
    const texts = this.#waiting
    this.#waiting = []
    for (const { text, settle } of texts) settle(signTextBeside(text, this.#key))
  }
}
