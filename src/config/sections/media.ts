import { path, size } from '#config/kinds.ts'
import { option } from '#config/option.ts'
import { section } from '#config/section.ts'

/** Files that users upload. */
export const media = section(
  { title: 'Media', doc: 'Files that users upload, and files that are fetched from other servers for them.' },
  {
    storePath: option('media_store_path', path(), { default: 'media_store', doc: 'The folder where files are kept.' }),
    maxUploadBytes: option('max_upload_size', size(), {
      default: '50M',
      doc: 'The largest file a user may upload. A reverse proxy must allow as much.',
    }),
  },
)
