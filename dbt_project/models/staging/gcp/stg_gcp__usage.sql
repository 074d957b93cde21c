-- Use per file, subject and day: calls by a person or service account, with the key it proved itself with; whoever stands
-- behind an impersonated service account; service accounts whose tokens or signatures somebody asked for; and secrets that
-- were read.
with

calls as (
    select
        *,
        {{ instant('"timestamp"') }} as event_at,
        {{ gcp_succeeded() }} as succeeded,
        -- Who called a GKE cluster may be the cluster's own user, which is no account of the cloud.
        case when principal_email not like 'system:%' or principal_email is null
            then coalesce(lower(nullif(principal_email, '')), {{ gcp_account('principal_subject') }}) end as caller
    from {{ evidence_records('gcp', 'audit_log') }}
    where method_name is not null
),

delegated as (
    select *, unnest(delegation) as behind
    from calls
),

subjects as (
    select sha256, record_number, event_at, succeeded, caller as account_id,
        case when contains(service_account_key_name, '/keys/')
            then {{ gcp_key_name('service_account_key_name', 'null', 'caller') }} end as credential_id
    from calls
    union all
    select sha256, record_number, event_at, succeeded,
        coalesce(lower(nullif(behind.email, '')), {{ gcp_account('behind.subject') }}), null
    from delegated
    union all
    select sha256, record_number, event_at, succeeded, coalesce(
        nullif(label_unique_id, ''),
        nullif(regexp_extract(coalesce(nullif(resource_name, ''), request_name), 'serviceAccounts/([^/]+)', 1), '')
    ), null
    from calls
    where service_name = 'iamcredentials.googleapis.com'
    union all
    select sha256, record_number, event_at, succeeded, null, {{ gcp_secret('resource_name') }}
    from calls
    where service_name = 'secretmanager.googleapis.com' and method_name like '%.AccessSecretVersion'
),

labelled as (
    select
        *,
        'gcp' as source_system,
        'audit_log' as source_feed,
        'gcp' as system,
        cast(null as bigint) as version
    from subjects
    where account_id is not null or credential_id is not null
)

{{ usage_per_day('labelled', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
