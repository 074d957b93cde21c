{{ log_presence('kubernetes', 'audit_log', 'occurred_at') }}
