import type { Change } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { stateAdded } from '#storage/stores/states.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { NewState } from './set.ts'

const NO_FINGERPRINT = new Uint8Array(0)

type Written = {
  readonly room: number
  readonly state: NewState
  readonly fingerprint: Fingerprint
  /** For received and resolved states: it can be looked up by its fingerprint. */
  readonly isFindable: boolean
}

/** Puts the rows of a new state into a change. Only its last row is the state itself and has its fingerprint. */
export const writeState = (change: Change, { room, state, fingerprint, isFindable }: Written): void => {
  for (const { state: number, nodes } of state.rows) {
    const isRoot = number === state.root
    change.write(stateAdded, {
      state: roomKey(room, number),
      fingerprint: isRoot ? fingerprint : NO_FINGERPRINT,
      findable: isRoot && isFindable ? fingerprint : undefined,
      nodes,
    })
  }
}
