import { hash } from 'node:crypto'

/** A number for a device ID, by which a log row of a user says which device it means. Two IDs may have the same: then one device looks in vain. */
export const deviceItem = (deviceId: string): number => hash('sha256', deviceId, 'buffer').readUIntBE(0, 6)
