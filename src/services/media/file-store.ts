import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type Random, randomLowerAlphanumeric } from '#util/random.ts'
import type { MediaStore, StoredFile } from './media-store.ts'

/** What a key may be: nothing that means anything in a path. */
const KEY = /^[A-Za-z0-9_-]{5,255}$/
const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700

type Deps = { readonly folder: string; readonly random: Random }

/**
 * Keeps media as files of their own in a folder: `files/ab/cd/efgh...`, by their keys. What is still coming is in `incoming`, so that a file
 * that is at its place is whole.
 */
export class FileStore implements MediaStore {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  readonly put = async (key: string, chunks: AsyncIterable<Uint8Array>): Promise<StoredFile> => {
    const path = this.#pathOf(key)
    const incoming = join(this.#incoming, randomLowerAlphanumeric(this.#deps.random, 24))
    await mkdir(this.#incoming, { recursive: true, mode: PRIVATE_FOLDER })
    try {
      const stored = await writeFile(incoming, chunks)
      await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER })
      await rename(incoming, path)
      await syncFolder(dirname(path))
      return stored
    } catch (error) {
      await rm(incoming, { force: true })
      throw error
    }
  }

  readonly get = async (
    key: string,
    { start, length }: { readonly start: number; readonly length: number },
  ): Promise<Readable | undefined> => {
    const file = await ifThere(open(this.#pathOf(key), 'r'))
    if (file === undefined) return undefined
    let isGiven = false
    try {
      const { size } = await file.stat()
      if (size < start + length) return undefined
      if (length === 0) return Readable.from([])
      const stream = file.createReadStream({ start, end: start + length - 1 })
      isGiven = true
      return stream
    } finally {
      // A stream closes it at its end. One that nobody closes ends the process when it is collected.
      if (!isGiven) await file.close()
    }
  }

  readonly remove = async (key: string): Promise<void> => {
    await rm(this.#pathOf(key), { force: true })
  }

  /** Removes what began to come and was not written to since; resolves to how many there were. */
  async sweep(before: number): Promise<number> {
    let count = 0
    // Before the first upload there is no folder.
    for (const name of (await ifThere(readdir(this.#incoming))) ?? []) {
      const path = join(this.#incoming, name)
      // One that came in the meantime is at its place now.
      const writtenTs = await ifThere(stat(path).then(({ mtimeMs }) => mtimeMs))
      if (writtenTs === undefined || writtenTs >= before) continue
      await rm(path, { force: true })
      count++
    }
    return count
  }

  get #incoming(): string {
    return join(this.#deps.folder, 'incoming')
  }

  #pathOf(key: string): string {
    if (!KEY.test(key)) throw new Error('this can be no key of a file')
    return join(this.#deps.folder, 'files', key.slice(0, 2), key.slice(2, 4), key.slice(4))
  }
}

async function writeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<StoredFile> {
  const file = await open(path, 'wx', PRIVATE_FILE)
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of chunks) {
      size += chunk.byteLength
      hash.update(chunk)
      await writeWhole(file, chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { size, sha256: hash.digest() }
}

/** The operating system may take less at once than it is given. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0
  while (written < chunk.byteLength) written += (await file.write(chunk, written)).bytesWritten
}

/** Makes a new name in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** What is asked of a file or folder, or `undefined` where there is none of that name. */
async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
