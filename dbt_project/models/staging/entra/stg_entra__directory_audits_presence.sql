{{ log_presence('entra', 'directory_audits', 'occurred', only="coalesce(category, '') not like '%SignInLogs'") }}
