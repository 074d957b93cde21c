{{ log_presence('okta', 'system_log', 'published') }}
