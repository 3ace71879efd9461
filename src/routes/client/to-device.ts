import { sendToDevice } from '#api/client/to-device.ts'
import { type Route, route } from '#http/server/route.ts'
import type { ToDevice } from '#services/encryption/to-device.ts'

export const toDeviceRoutes = ({ toDevice }: { readonly toDevice: ToDevice }): Route[] => [
  route(sendToDevice, async ({ requester, params: { eventType, txnId }, body }) => {
    await toDevice.send(requester, { type: eventType, txnId, messages: body.messages })
    return {}
  }),
]
