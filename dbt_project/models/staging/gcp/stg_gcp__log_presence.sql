{{ log_presence('gcp', 'audit_log', '"timestamp"') }}
