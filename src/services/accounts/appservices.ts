import { type MatrixError, missingToken, unknownToken } from '#protocol/errors.ts'

/**
 * What a program hears that registers or logs in as an application service: none is known here, so no token is that of one.
 * https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions
 */
export const noAppservice = ({ hasToken }: { readonly hasToken: boolean }): MatrixError =>
  hasToken
    ? unknownToken({ error: 'There is no application service with this token' })
    : missingToken('This needs the token of an application service')
