import type { Readable } from 'node:stream'

/** A file that was put somewhere. */
export type StoredFile = { readonly size: number; readonly sha256: Uint8Array }

/** Where the bytes of media are. Keys are letters, digits, `_` and `-`, and never used twice. */
export type MediaStore = {
  /** Keeps what comes, durably once it resolves. If it rejects, nothing is kept. */
  readonly put: (key: string, chunks: AsyncIterable<Uint8Array>) => Promise<StoredFile>
  /** `length` bytes from `start` on, or `undefined` where there is no such file or it has not as many. */
  readonly get: (
    key: string,
    part: { readonly start: number; readonly length: number },
  ) => Promise<Readable | undefined>
  /** The file is gone; so it is if it never was. */
  readonly remove: (key: string) => Promise<void>
}
