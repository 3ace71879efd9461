import { getConfigAuthed, getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { Download, type Route, route } from '#http/server/route.ts'
import type { Downloads, WantedFile } from '#services/media/downloads.ts'
import type { Uploads } from '#services/media/uploads.ts'

type Services = { readonly uploads: Uploads; readonly downloads: Downloads }

/** Uploading and downloading files. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
export const mediaRoutes = ({ uploads, downloads }: Services): Route[] => {
  const download = async (wanted: WantedFile): Promise<Download> => {
    const { status, headers, body } = await downloads.give(wanted)
    return new Download(headers, body, status)
  }
  return [
    route(uploadContent, async ({ requester, query, body }) => ({
      content_uri: await uploads.take(requester, { ...body, fileName: query.filename }),
    })),
    route(getContentAuthed, ({ params, caller }) => download({ ...params, fileName: undefined, range: caller.range })),
    route(getContentOverrideNameAuthed, ({ params, caller }) => download({ ...params, range: caller.range })),
    route(getConfigAuthed, async () => ({ 'm.upload.size': uploads.maxBytes })),
  ]
}
