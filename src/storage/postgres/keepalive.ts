import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Keepalives } from '#util/libpq/parameters.ts'

/** Puts the keepalives of TCP on a socket that is connected; what is left to the system is as the system has it. */
export const keepAlive = (socket: Socket, { isOn, idleMs, intervalMs, count }: Keepalives): void => {
  if (!isOn) return
  if (idleMs === undefined && intervalMs === undefined && count === undefined) {
    socket.setKeepAlive(true)
    return
  }
  // Node.js sets all three once it sets one, with defaults of its own.
  socket.setKeepAlive(
    true,
    idleMs ?? systemDefault('time', 7200) * 1000,
    intervalMs ?? systemDefault('intvl', 75) * 1000,
    count ?? systemDefault('probes', 9),
  )
}

function systemDefault(name: string, otherwise: number): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'utf8')) || otherwise
  } catch {
    // Not Linux, or no /proc: what Linux has anyway.
    return otherwise
  }
}
