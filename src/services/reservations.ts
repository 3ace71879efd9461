import { exclusive } from '#protocol/errors.ts'

/** A part of the names that belongs to one application service alone. https://spec.matrix.org/v1.19/application-service-api/#registration */
export type Reservation = {
  readonly appserviceId: string
  readonly kind: 'user' | 'alias'
  readonly holds: (id: string) => boolean
}

/** Says who may take which names: what an application service has reserved is for it and its users alone. */
export class Reservations {
  readonly #reservations: readonly Reservation[]

  constructor(reservations: readonly Reservation[]) {
    this.#reservations = reservations
  }

  /** Throws `M_EXCLUSIVE` where somebody else has reserved the ID. `appserviceId`: who wants it, if that is an application service. */
  judge(kind: Reservation['kind'], id: string, appserviceId: string | undefined): void {
    const isTaken = this.#reservations.some(
      (one) => one.kind === kind && one.appserviceId !== appserviceId && one.holds(id),
    )
    if (isTaken) throw exclusive('This name is reserved by an application service')
  }
}
