import { sendToDevice } from '#api/client/to-device.ts'
import { type Route, route } from '#http/server/route.ts'
import type { ToDevice } from '#services/encryption/to-device.ts'

/** Messages to devices. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
export const toDeviceRoutes = ({ toDevice }: { readonly toDevice: ToDevice }): Route[] => [
  route(sendToDevice, async ({ requester, params: { eventType, txnId }, body }) => {
    await toDevice.send(requester, { type: eventType, txnId, messages: body.messages })
    return {}
  }),
]
