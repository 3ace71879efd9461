// Over 300 lines: a table, of every option of Synapse that Myelin does not use, with the reason.
import { doesNotApply, notYet, type Unused } from './option.ts'

const OWN_PROCESSES = 'processes of Myelin need no configuration of their own: they meet in the database.'
const PYTHON = 'it is about the Python runtime.'
const NO_GUARD = { isProtection: true } as const

const server: readonly Unused[] = [
  notYet('modules', 'no modules are loaded.', { harmless: [[]], ...NO_GUARD }),
  notYet('user_agent_suffix', 'requests to others carry only the name and version of Myelin.'),
  doesNotApply('use_frozen_dicts', 'events cannot be changed once they are made.', { harmless: [true, false] }),
  notYet('web_client_location', 'the root of the server leads nowhere.'),
  notYet('presence', 'whether users are online is not passed on.'),
  doesNotApply('use_presence', 'write presence.enabled instead.'),
  notYet('limit_profile_requests_to_users_who_share_rooms', 'profiles are shown to all who may ask.', {
    harmless: [false],
    ...NO_GUARD,
  }),
  notYet('include_profile_data_on_invite', 'invitations carry the profile of who invites.', { harmless: [true] }),
  notYet('allow_public_rooms_without_auth', 'the room directory is shown to those who are logged in.', {
    harmless: [false],
  }),
  notYet('allow_public_rooms_over_federation', 'the room directory is not shown to other servers.', {
    harmless: [false],
  }),
  notYet('restrict_public_rooms_to_local_users', 'the room directory is shown only to users here.', {
    harmless: [true, false],
  }),
  doesNotApply('gc_thresholds', PYTHON),
  doesNotApply('gc_min_interval', PYTHON),
  notYet('enable_search', 'messages cannot be searched.', { harmless: [false] }),
  notYet('ip_range_blacklist', 'requests to others go wherever names lead.', NO_GUARD),
  notYet('ip_range_whitelist', 'requests to others go wherever names lead.', { harmless: [[]] }),
  doesNotApply('federation_ip_range_blacklist', 'write ip_range_blacklist instead.', NO_GUARD),
  doesNotApply('manhole', 'a manhole runs code inside Python.'),
  doesNotApply('manhole_settings', 'a manhole runs code inside Python.'),
  notYet('http_proxy', 'requests to others go out directly.'),
  notYet('https_proxy', 'requests to others go out directly.'),
  notYet('no_proxy_hosts', 'requests to others go out directly.'),
  notYet('matrix_authentication_service', 'accounts are kept here.', { harmless: [{ enabled: false }], ...NO_GUARD }),
  notYet('dummy_events_threshold', 'no events are sent to join the loose ends of a room.'),
  notYet('cleanup_extremities_with_dummy_events', 'no events are sent to join the loose ends of a room.', {
    harmless: [false],
  }),
  notYet('delete_stale_devices_after', 'devices stay until they are logged out.'),
  notYet('email', 'no mail is sent.'),
  notYet('max_event_delay_duration', 'events cannot be sent with a delay.'),
  notYet('user_types', 'there are the types bot and support, and no others.'),
  doesNotApply('use_insecure_ssl_client_just_for_testing_do_not_use', 'certificates are always checked.', {
    harmless: [false],
  }),
]

const blocking: readonly Unused[] = [
  notYet('admin_contact', 'no limit on the number of users stops anybody, so that nobody need ask.'),
  notYet('hs_disabled', 'the server cannot be blocked by an option.', { harmless: [false], ...NO_GUARD }),
  notYet('hs_disabled_message', 'the server cannot be blocked by an option.'),
  notYet('limit_usage_by_mau', 'the number of active users is not limited.', { harmless: [false], ...NO_GUARD }),
  notYet('max_mau_value', 'the number of active users is not limited.', { harmless: [0] }),
  notYet('mau_trial_days', 'the number of active users is not limited.', { harmless: [0] }),
  notYet('mau_appservice_trial_days', 'the number of active users is not limited.', { harmless: [{}] }),
  notYet('mau_limit_alerting', 'the number of active users is not limited.'),
  notYet('mau_stats_only', 'active users are not counted.', { harmless: [false] }),
  notYet('mau_limit_reserved_threepids', 'the number of active users is not limited.', { harmless: [[]] }),
  doesNotApply('server_context', 'Myelin does not report to anybody.'),
  notYet('limit_remote_rooms', 'rooms of any size can be joined.', { harmless: [{ enabled: false }], ...NO_GUARD }),
  notYet('require_membership_for_aliases', 'who makes an alias need not be in the room.', { ...NO_GUARD }),
  notYet('max_avatar_size', 'avatars may be as large as any upload.', NO_GUARD),
  notYet('allowed_avatar_mimetypes', 'avatars may be of any type.', NO_GUARD),
  notYet('forgotten_room_retention_period', 'rooms that all users forgot are kept.'),
  notYet('user_ips_max_age', 'addresses of users are kept as long as Myelin keeps them by itself.', NO_GUARD),
  notYet('request_token_inhibit_3pid_errors', 'no mail is sent, so that nothing can be told by it.'),
  notYet('next_link_domain_whitelist', 'no mail is sent, so that there are no links in it.'),
  notYet('templates', 'Myelin has pages and mails of its own.'),
  notYet('retention', 'messages are kept for ever.', { harmless: [{ enabled: false }], ...NO_GUARD }),
]

const federation: readonly Unused[] = [
  doesNotApply('tls_certificate_path', 'a reverse proxy does TLS.'),
  doesNotApply('tls_private_key_path', 'a reverse proxy does TLS.'),
  notYet('federation_verify_certificates', 'certificates of other servers are always checked.', { harmless: [true] }),
  notYet('federation_client_minimum_tls_version', 'TLS 1.2 is the least that is spoken with other servers.', {
    harmless: [1, '1', '1.0', 1.1, '1.1', 1.2, '1.2'],
    ...NO_GUARD,
  }),
  notYet('federation_certificate_verification_whitelist', 'certificates of all servers are checked.', {
    harmless: [[]],
  }),
  notYet('federation_custom_ca_list', 'only the authorities that Node knows, and NODE_EXTRA_CA_CERTS, are trusted.', {
    harmless: [[]],
  }),
  notYet('federation_domain_whitelist', 'any server may be talked to.', NO_GUARD),
  notYet('federation_whitelist_endpoint_enabled', 'there is no list to show.', { harmless: [false] }),
  notYet('federation_metrics_domains', 'lag is not measured for single servers.', { harmless: [[]] }),
  notYet('allow_profile_lookup_over_federation', 'other servers may ask for profiles.', {
    harmless: [true],
    ...NO_GUARD,
  }),
  notYet('allow_device_name_lookup_over_federation', 'other servers are not told the names of devices.', {
    harmless: [false],
  }),
  notYet('serve_server_wellknown', 'other servers cannot speak with this one.', { harmless: [false] }),
  notYet('federation', 'timeouts and retries are those of Myelin.'),
]

const resources: readonly Unused[] = [
  doesNotApply('event_cache_size', 'all caches share one memory_budget.'),
  doesNotApply('caches', 'all caches share one memory_budget, and find their sizes by themselves.'),
  notYet('rc_3pid_validation', 'no mail is sent.'),
  notYet('rc_third_party_invite', 'nobody can be invited by mail address.'),
  notYet('rc_reports', 'nothing can be reported.'),
  notYet('rc_media_create', 'the limit is that of Myelin.', NO_GUARD),
  notYet('rc_federation', 'the limit is that of Myelin.', NO_GUARD),
  notYet('rc_presence', 'whether users are online is not passed on.'),
  notYet('rc_delayed_event_mgmt', 'events cannot be sent with a delay.'),
  notYet('rc_user_directory', 'the limit is that of Myelin.', NO_GUARD),
  notYet('federation_rr_transactions_per_room_per_second', 'receipts are gathered as Myelin sees fit.'),
  doesNotApply('rc_messages_per_second', 'write rc_message instead.', NO_GUARD),
  doesNotApply('rc_message_burst_count', 'write rc_message instead.', NO_GUARD),
  ...['window_size', 'sleep_limit', 'sleep_delay', 'reject_limit', 'concurrent'].map((name) =>
    doesNotApply(`federation_rc_${name}`, 'write rc_federation instead.', NO_GUARD),
  ),
]

const media: readonly Unused[] = [
  notYet('enable_authenticated_media', 'files are given out only to those who are logged in.', { harmless: [true] }),
  notYet('max_image_pixels', 'there are no thumbnails.'),
  notYet('enable_media_repo', 'every process serves media.', { harmless: [true] }),
  notYet('enable_local_media_storage', 'media are always kept in media_store_path.', { harmless: [true] }),
  notYet('max_pending_media_uploads', 'the limit is that of Myelin.', NO_GUARD),
  notYet('unused_expiration_time', 'the time is that of Myelin.'),
  notYet('media_storage_providers', 'media are kept only in media_store_path.', { harmless: [[]] }),
  notYet('media_upload_limits', 'users may upload as much as they like.', { harmless: [[]], ...NO_GUARD }),
  notYet('remote_media_download_burst_count', 'the limit is that of Myelin.', NO_GUARD),
  notYet('remote_media_download_per_second', 'the limit is that of Myelin.', NO_GUARD),
  notYet('prevent_media_downloads_from', 'media of all servers are fetched.', { harmless: [[]], ...NO_GUARD }),
  notYet('dynamic_thumbnails', 'thumbnails have the usual sizes.', { harmless: [false] }),
  notYet('thumbnail_sizes', 'thumbnails have the usual sizes.'),
  notYet('media_retention', 'media are kept for ever.', { harmless: [{}], ...NO_GUARD }),
  notYet('url_preview_enabled', 'pages that are linked are not previewed.', { harmless: [false] }),
  notYet('url_preview_ip_range_blacklist', 'pages that are linked are not previewed.'),
  notYet('url_preview_ip_range_whitelist', 'pages that are linked are not previewed.'),
  notYet('url_preview_url_blacklist', 'pages that are linked are not previewed.'),
  notYet('max_spider_size', 'pages that are linked are not previewed.'),
  notYet('url_preview_accept_language', 'pages that are linked are not previewed.'),
  notYet('oembed', 'pages that are linked are not previewed.'),
  notYet('backup_media_store_path', 'media are kept only in media_store_path.'),
  notYet('synchronous_backup_media_store', 'media are kept only in media_store_path.'),
]

const CAPTCHA = 'there is no captcha.'
const VOICE = 'clients are not told of a server for calls.'

const accounts: readonly Unused[] = [
  ...['public_key', 'public_key_path', 'private_key', 'private_key_path'].map((name) =>
    notYet(`recaptcha_${name}`, CAPTCHA),
  ),
  notYet('enable_registration_captcha', CAPTCHA, { harmless: [false], ...NO_GUARD }),
  notYet('recaptcha_siteverify_api', CAPTCHA),
  ...['uris', 'shared_secret', 'shared_secret_path', 'username', 'password', 'user_lifetime', 'allow_guests'].map(
    (name) => notYet(`turn_${name}`, VOICE),
  ),
  notYet('matrix_rtc', VOICE),
  notYet('registrations_require_3pid', 'no mail is sent.', { harmless: [[]], ...NO_GUARD }),
  notYet('disable_msisdn_registration', 'accounts have no telephone numbers.'),
  notYet('allowed_local_3pids', 'accounts have no mail addresses.', NO_GUARD),
  notYet('enable_3pid_lookup', 'nobody can be looked up by mail address.'),
  notYet('enable_registration_token_3pid_bypass', 'no mail is sent.', { harmless: [false] }),
  doesNotApply('disable_registration', 'write enable_registration instead.', { harmless: [true], ...NO_GUARD }),
  notYet('default_identity_server', 'accounts have no mail addresses.'),
  notYet('account_threepid_delegates', 'accounts have no telephone numbers.'),
  notYet('enable_3pid_changes', 'accounts have no mail addresses.'),
  notYet('auto_join_rooms', 'new users are in no rooms.', { harmless: [[]] }),
  notYet('autocreate_auto_join_rooms', 'new users are in no rooms.'),
  notYet('autocreate_auto_join_rooms_federated', 'new users are in no rooms.'),
  notYet('autocreate_auto_join_room_preset', 'new users are in no rooms.'),
  notYet('auto_join_mxid_localpart', 'new users are in no rooms.'),
  notYet('auto_join_rooms_for_guests', 'new users are in no rooms.'),
  notYet('allow_underscore_prefixed_registration', 'names that begin with _ cannot be registered.', {
    harmless: [false],
  }),
  notYet('allow_underscore_prefixed_localpart', 'names that begin with _ cannot be registered.', {
    harmless: [false],
  }),
  notYet('account_validity', 'accounts do not expire.', { harmless: [{ enabled: false }], ...NO_GUARD }),
  notYet('use_account_validity_in_account_status', 'accounts do not expire.', { harmless: [false] }),
  doesNotApply('trust_identity_server_for_password_resets', 'no identity server is trusted with passwords.', {
    harmless: [false],
  }),
  doesNotApply('invite_3pid_guest', 'nobody can be invited as a guest by mail address.', { harmless: [false] }),
  doesNotApply('macaroon_secret_key', 'tokens are random and kept in the database, so that nothing signs them.'),
  doesNotApply('macaroon_secret_key_path', 'tokens are random and kept in the database, so that nothing signs them.'),
  doesNotApply('form_secret', 'forms are not signed with a secret from the configuration.'),
  doesNotApply('form_secret_path', 'forms are not signed with a secret from the configuration.'),
]

const reporting: readonly Unused[] = [
  notYet('sentry', 'errors are only written to the log.'),
  notYet('metrics_flags', 'the number of known servers is not measured.', { harmless: [{}, { known_servers: false }] }),
  doesNotApply('report_stats', 'Myelin does not report to anybody.', { harmless: [false] }),
  doesNotApply('report_stats_endpoint', 'Myelin does not report to anybody.'),
  notYet('stats', 'rooms and users are not counted.'),
  notYet('opentracing', 'requests are not traced.', { harmless: [{ enabled: false }] }),
  doesNotApply('metrics_port', 'write a listener of type metrics instead.'),
  doesNotApply('metrics_bind_host', 'write a listener of type metrics instead.'),
]

const keys: readonly Unused[] = [
  notYet('key_refresh_interval', 'the time is that of Myelin.'),
  notYet('trusted_key_servers', 'keys are asked of the servers that they belong to.'),
  notYet('suppress_key_server_warning', 'there is no such warning.', { harmless: [true, false] }),
  notYet('key_server_signing_keys_path', 'keys are given out with the signature of this server alone.'),
  doesNotApply('perspectives', 'write trusted_key_servers instead.'),
  doesNotApply('signing_key', 'write signing_key_path: a key does not belong in a configuration file.'),
]

const signOn: readonly Unused[] = [
  ...['saml2_config', 'oidc_providers', 'oidc_config', 'cas_config', 'sso'].map((key) =>
    notYet(key, 'users cannot log in through another service.', { harmless: [[], {}, { enabled: false }] }),
  ),
  notYet('jwt_config', 'users cannot log in with a JSON web token.', { harmless: [{ enabled: false }] }),
  notYet('password_providers', 'passwords are compared only with those kept here.', { harmless: [[]], ...NO_GUARD }),
  notYet('ldap_config', 'passwords are compared only with those kept here.', { harmless: [{ enabled: false }] }),
]

const rooms: readonly Unused[] = [
  notYet('push', 'nothing is pushed to telephones.'),
  notYet('user_directory', 'users are found as Myelin sees fit.'),
  notYet('user_consent', 'nobody is asked to agree to anything.', NO_GUARD),
  notYet('server_notices', 'there are no messages from the server itself.'),
  notYet('enable_room_list_search', 'the room directory can always be searched.', { harmless: [true] }),
  notYet('alias_creation_rules', 'anybody may make any alias.', NO_GUARD),
  notYet('room_list_publication_rules', 'nobody but administrators may publish a room.'),
  notYet('exclude_rooms_from_presence', 'whether users are online is not passed on.', { harmless: [[]] }),
  notYet('auto_accept_invites', 'users answer invitations themselves.', { harmless: [{ enabled: false }] }),
  notYet('enable_ephemeral_messages', 'messages do not vanish by themselves.', { harmless: [false] }),
  notYet('room_prejoin_state', 'invitations show the usual state of a room.', { harmless: [{}] }),
  doesNotApply('room_invite_state_types', 'write room_prejoin_state instead.'),
  notYet('spam_checker', 'no modules are loaded.', NO_GUARD),
  notYet('third_party_event_rules', 'no modules are loaded.', NO_GUARD),
]

const services: readonly Unused[] = [
  notYet('app_service_config_files', 'no bridges or bots are connected.', { harmless: [[]] }),
  notYet('track_appservice_user_ips', 'addresses of bridges are not kept.', { harmless: [false] }),
  notYet('track_puppeted_user_ips', 'addresses of administrators who act for users are not kept.', {
    harmless: [false],
  }),
  doesNotApply('use_appservice_legacy_authorization', 'tokens are never sent in addresses.', { harmless: [false] }),
  notYet('dont_notify_new_devices_for', 'others are told of new devices of all users.'),
]

const workers: readonly Unused[] = [
  ...[
    'worker_replication_secret',
    'worker_replication_secret_path',
    'start_pushers',
    'pusher_instances',
    'send_federation',
    'federation_sender_instances',
    'instance_map',
    'stream_writers',
    'outbound_federation_restricted_to',
    'run_background_tasks_on',
    'update_user_directory_from_worker',
    'notify_appservices_from_worker',
    'media_instance_running_background_jobs',
    'redis',
    'worker_app',
    'worker_name',
    'worker_listeners',
    'worker_manhole',
    'worker_daemonize',
    'worker_pid_file',
    'worker_log_config',
    'notify_appservices',
    'update_user_directory',
    'worker_main_http_uri',
    'worker_replication_host',
    'worker_replication_http_port',
    'worker_replication_http_tls',
    'worker_replication_port',
    'replication_torture_level',
  ].map((key) => doesNotApply(key, OWN_PROCESSES)),
  notYet('background_updates', 'work in the background goes at the pace that Myelin finds right.'),
]

const past: readonly Unused[] = [
  ...['bind_port', 'bind_host', 'unsecure_port', 'no_tls', 'gzip_responses'].map((key) =>
    doesNotApply(key, 'write listeners instead.'),
  ),
  doesNotApply('log_file', 'write logging or log_config instead.'),
  doesNotApply('no_redirect_stdio', 'nothing is redirected.'),
  doesNotApply('synctl_cache_factor', 'all caches share one memory_budget.'),
  doesNotApply('synctl_cache_factors', 'all caches share one memory_budget.'),
]

/** Every option of Synapse, documented or merely read, that Myelin does not use. With the options of the sections, these are all. */
export const unusedOptions: readonly { readonly title: string; readonly options: readonly Unused[] }[] = [
  { title: 'Server', options: server },
  { title: 'Blocking and limits', options: blocking },
  { title: 'Federation and TLS', options: federation },
  { title: 'Caches and rate limits', options: resources },
  { title: 'Media', options: media },
  { title: 'Accounts, registration and calls', options: accounts },
  { title: 'Metrics and reports', options: reporting },
  { title: 'Signing keys', options: keys },
  { title: 'Other ways to log in', options: signOn },
  { title: 'Rooms, push and directories', options: rooms },
  { title: 'Application services', options: services },
  { title: 'Workers', options: workers },
  { title: 'Of older versions', options: past },
]
