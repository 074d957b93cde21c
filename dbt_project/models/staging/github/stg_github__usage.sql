-- What accounts, tokens and deploy keys did, per file, subject and day. The token that an entry about tokens names is
-- acted upon, not used; a deploy key acts without an account.
with

actions as (
    select
        sha256,
        record_number,
        'github' as source_system,
        'audit_log' as source_feed,
        'github' as system,
        case when actor <> 'deploy_key' then actor end as account_id,
        case when split_part({{ vendor_word('action') }}, '.', 1) not in (
            'personal_access_token', 'public_key', 'org_credential_authorization', 'oauth_access', 'oauth_authorization'
        ) then coalesce(nullif(token_id, ''), nullif(public_key_id, ''), nullif(fingerprint, '')) end as credential_id,
        cast(null as bigint) as version,
        {{ instant('occurred_at', feed='github/audit_log') }} as event_at,
        not contains({{ vendor_word('action') }}, 'failed') as succeeded
    from {{ evidence_records('github', 'audit_log') }}
    where nullif(actor, '') is not null
)

{{ usage_per_day('actions', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
