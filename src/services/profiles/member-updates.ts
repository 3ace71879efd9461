import type { UserId } from '#protocol/identifiers.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { EventSender } from '#services/events/send-event.ts'
import { getString, type JsonObject } from '#util/json.ts'
import type { Logger } from '#util/logger.ts'
import { MEMBER_FIELDS } from './fields.ts'
import type { MemberProfiles } from './member-profiles.ts'

type Deps = {
  readonly rooms: RoomRegistry
  readonly memberships: MembershipIndex
  readonly sender: EventSender
  readonly profiles: MemberProfiles
  readonly log: Logger
}

/** Whose profile changed. */
type Changed = { readonly user: number; readonly userId: UserId }
type Run = { isStale: boolean; readonly done: Promise<void> }

/**
 * Tells the rooms of users that they are called otherwise or have another picture: one membership event for each room, one room after the
 * other, in the background. https://spec.matrix.org/v1.19/client-server-api/#events-on-change-of-profile-information
 */
export class MemberUpdates {
  readonly #deps: Deps
  readonly #runs = new Map<number, Run>()
  #isStopping = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The user's profile changed. While rooms are still being told of an earlier change, they are told of both at once. */
  changed({ user, userId }: Changed): void {
    const running = this.#runs.get(user)
    if (running !== undefined) running.isStale = true
    else if (!this.#isStopping) this.#start({ user, userId })
  }

  /** Resolves when all rooms know. */
  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ done }) => done))
  }

  /** Tells no more rooms. What they do not know they hear with the user's next change. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.settled()
  }

  #start(changed: Changed): void {
    const { user } = changed
    const done = this.#tell(changed)
      .catch((error) => this.#deps.log.error('profile_not_told', { userId: changed.userId, error: String(error) }))
      .then(() => {
        const isStale = this.#runs.get(user)?.isStale === true
        this.#runs.delete(user)
        if (isStale) this.changed(changed)
      })
    this.#runs.set(user, { isStale: false, done })
  }

  async #tell(changed: Changed): Promise<void> {
    const { memberships, profiles, log } = this.#deps
    const profile = await profiles.of(changed.user)
    const joined = [...(await memberships.ofUser(changed.user)).values()].filter(
      ({ membership }) => membership === 'join',
    )
    for (const { room } of joined) {
      if (this.#isStopping || this.#runs.get(changed.user)?.isStale === true) return
      try {
        await this.#tellRoom(room, changed, profile)
      } catch (error) {
        // A room that does not take it does not keep the others from hearing it.
        log.warn('profile_not_told_to_room', { userId: changed.userId, room, error: String(error) })
      }
    }
  }

  async #tellRoom(room: number, { user, userId }: Changed, profile: JsonObject): Promise<void> {
    const { rooms, sender } = this.#deps
    const { roomId } = await rooms.byNumber(room)
    await sender.change(roomId, async (active, change) => {
      const present = (await active.stateEvent('m.room.member', userId))?.content
      const isSame = [...MEMBER_FIELDS].every((field) => getString(present, field) === getString(profile, field))
      if (getString(present, 'membership') !== 'join' || isSame) return
      await sender.append(active, change, {
        type: 'm.room.member',
        stateKey: userId,
        sender: userId,
        senderNumber: user,
        content: { ...profile, membership: 'join' },
        redacts: undefined,
      })
    })
  }
}
