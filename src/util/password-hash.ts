/** How many bytes of password and pepper bcrypt looks at. */
export const MAX_PASSWORD_BYTES = 72

/** What is hashed of a password: its compatibility composition (NFKC) and the pepper, as far as bcrypt looks at them. */
export function passwordBytes(
  password: string,
  pepper: string,
): { readonly bytes: Uint8Array; readonly isCut: boolean } {
  const whole = new TextEncoder().encode(password.normalize('NFKC') + pepper)
  return { bytes: whole.subarray(0, MAX_PASSWORD_BYTES), isCut: whole.length > MAX_PASSWORD_BYTES }
}

/** Loaded when the first password comes: a binary that a start needs not wait for. */
const bcrypt = () => import('@node-rs/bcrypt')

/** The hash of a password, `$2b$…`, as Synapse keeps it. Each more of `rounds` doubles the time it takes. */
export const hashPassword = async (
  password: string,
  by: { readonly pepper: string; readonly rounds: number },
): Promise<string> => (await bcrypt()).hash(passwordBytes(password, by.pepper).bytes, { cost: by.rounds })

/** Whether the password is the one that was hashed. */
export const verifyPassword = async (password: string, pepper: string, passwordHash: string): Promise<boolean> =>
  (await bcrypt()).verify(passwordBytes(password, pepper).bytes, passwordHash)
