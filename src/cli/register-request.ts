import { getString } from '#util/json.ts'
import type { SharedSecretRegistration } from '#util/registration-mac.ts'
import { registrationMac } from '#util/registration-mac.ts'

/** What the server said to a registration. */
export type RegistrationOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly isNameTaken: boolean }

/** Makes an account by way of the admin API: asks for a nonce, and proves the secret with it. Never throws. */
export async function registerUser(
  server: string,
  secret: string,
  account: Omit<SharedSecretRegistration, 'nonce'>,
): Promise<RegistrationOutcome> {
  const url = `${server.replace(/\/+$/, '')}/_synapse/admin/v1/register`
  try {
    const asked = await fetch(url)
    const offer = await bodyOf(asked)
    const nonce = asked.ok ? getString(offer, 'nonce') : undefined
    if (nonce === undefined) return refused(asked, offer)
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        nonce,
        username: account.username,
        password: account.password,
        mac: registrationMac({ nonce, ...account }, secret),
        admin: account.isAdmin,
        user_type: account.userType ?? null,
      }),
    })
    return answer.ok ? { ok: true } : refused(answer, await bodyOf(answer))
  } catch (error) {
    return { ok: false, isNameTaken: false, reason: `No server can be reached at ${server}: ${reasonOf(error)}` }
  }
}

function refused(response: Response, body: unknown): RegistrationOutcome {
  const told = getString(body, 'error') ?? 'this does not look like a homeserver.'
  const reason = `The server at ${response.url} answered ${response.status} ${response.statusText}: ${told}`
  return { ok: false, reason, isNameTaken: getString(body, 'errcode') === 'M_USER_IN_USE' }
}

/** What a server says is not always JSON: proxies answer with pages of their own. */
const bodyOf = (response: Response): Promise<unknown> => response.json().catch(() => undefined)

/** `fetch` hides the reason in the cause. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return cause instanceof Error && cause.message !== '' ? cause.message : 'the connection failed.'
}
