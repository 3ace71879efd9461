import { createHmac } from 'node:crypto'

/** An account that is made from outside by whoever knows the shared secret of the server. */
export type SharedSecretRegistration = {
  /** What the server gave for this one registration. */
  readonly nonce: string
  readonly username: string
  readonly password: string
  readonly isAdmin: boolean
  readonly userType: string | undefined
}

/** Proof of the secret, in hexadecimal: the HMAC-SHA1 of the fields with zero bytes between them, as Synapse's admin API has it. */
export function registrationMac(registration: SharedSecretRegistration, secret: string): string {
  const { nonce, username, password, isAdmin, userType } = registration
  const fields = [
    nonce,
    username,
    password,
    isAdmin ? 'admin' : 'notadmin',
    ...(userType === undefined ? [] : [userType]),
  ]
  return createHmac('sha1', secret).update(fields.join('\0')).digest('hex')
}
