{{ log_presence('azure_key_vault', 'audit_event', 'time') }}
