/** A state of a room, by its number in the room. */
export type StateAddress = { readonly room: number; readonly state: number }

/** The stored nodes of a state cannot be what was written: names the room and the state, for an administrator. */
export class CorruptState extends Error {
  override readonly name = 'CorruptState'
  readonly address: StateAddress

  constructor(address: StateAddress, reason: string) {
    super(`State ${address.state} of room ${address.room} is damaged in the database: ${reason}.`)
    this.address = address
  }
}
