-- Ends of tokens that are there and can't be read; when something happened ingest has checked.
with

tokens as (
    select sha256, record_number, token_expires_at
    from {{ evidence_records('kubernetes', 'audit_log') }}
    where token_expires_at is not null
)

select * from {{ unread_times('kubernetes', 'audit_log', 'tokens', ['token_expires_at']) }}
