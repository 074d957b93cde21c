{{ log_presence('github', 'audit_log', 'occurred_at') }}
