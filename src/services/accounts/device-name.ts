/** Names a device among those of all users: a key for maps. */
export const deviceName = ({ user, deviceId }: { readonly user: number; readonly deviceId: string }): string =>
  `${user}\0${deviceId}`
