{{ log_presence('hashicorp_vault', 'audit_log', 'time') }}
