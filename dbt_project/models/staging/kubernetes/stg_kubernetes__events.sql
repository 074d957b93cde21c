-- Service accounts, tokens, certificates and role bindings. A request counts once it was answered with success; its other
-- stages are the same request. What a token, a secret or a binding is about stands in the bodies, which level Metadata
-- leaves out: then the event names the object only.
with

-- GKE says the verb and the resource in one word, io.k8s.core.v1.serviceaccounts.token.create, and the object as a path.
asked as (
    select * replace (
        coalesce(nullif(verb, ''), nullif(called.verb, '')) as verb,
        coalesce(nullif(resource, ''), nullif(called.resource, '')) as resource,
        coalesce(nullif(subresource, ''), nullif(called.subresource, '')) as subresource,
        coalesce(nullif(namespace, ''), nullif(regexp_extract(gke_resource, '/namespaces/([^/]+)/', 1), '')) as namespace,
        coalesce(
            nullif(name, ''),
            case when called.resource <> '' then nullif(split_part(split_part(gke_resource, '/' || called.resource || '/', 2), '/', 1), '') end
        ) as name
    )
    from (
        select *, regexp_extract(
            gke_method, '[.]v[0-9]+[a-z0-9]*[.]([a-z]+)(?:[.]([a-z]+))?[.]([a-z]+)$', ['resource', 'subresource', 'verb']
        ) as called
        from {{ evidence_records('kubernetes', 'audit_log') }}
    )
),

answers as (
    select
        *,
        {{ vendor_word(described_actions('kubernetes', 'audit_log').word) }} as vendor_action,
        {{ instant('occurred_at', feed='kubernetes/audit_log') }} as answered_at
    from asked
    where coalesce(stage, 'ResponseComplete') = 'ResponseComplete'
        and coalesce(try_cast(response_code as integer), 200) between 200 and 299
        and {{ gke_succeeded() }}
),

meant as (
    select answers.*, meaning.action
    from answers
    inner join {{ vendor_actions('kubernetes', 'audit_log') }} as meaning using (vendor_action)
),

operations as (
    select
        *,
        case when resource = 'serviceaccounts' and subresource = 'token'
            then coalesce(
                {{ instant('token_expires_at', feed='kubernetes/audit_log') }},
                answered_at + to_seconds(try_cast(token_seconds as bigint))
            )
        end as token_ends_at,
        case when action like 'entitlement%' then coalesce(nullif(len(subjects), 0), 1) else 1 end as subject_count
    from meant
),

told as (
    select *, unnest(generate_series(1, subject_count)) as subject_number
    from operations
    where case
        -- A token ends by itself.
        when vendor_action = 'create serviceaccounts/token' and action = 'credential_deleted' then token_ends_at is not null
        -- Other secrets are no way into the cluster.
        when resource = 'secrets' then secret_type = 'kubernetes.io/service-account-token'
        when resource = 'certificatesigningrequests' then len(list_filter(conditions, condition -> condition.type = 'Approved')) > 0
        -- A change of a binding that does not say to whom it gives what gives nobody anything.
        when vendor_action similar to '(update|patch) .*' and action = 'entitlement_granted' then len(subjects) > 0
        else true
    end
),

named as (
    select
        *,
        subjects[subject_number] as subject,
        case
            when resource = 'serviceaccounts' then 'system:serviceaccount:' || namespace || ':' || name
            when resource = 'secrets' then 'system:serviceaccount:' || namespace || ':' || secret_service_account
            when resource = 'certificatesigningrequests' then request_user_name
            when subjects[subject_number].kind = 'ServiceAccount'
                then 'system:serviceaccount:' || coalesce(nullif(subjects[subject_number].namespace, ''), namespace) || ':'
                    || subjects[subject_number].name
            when subjects[subject_number].kind = 'Group' then 'group:' || subjects[subject_number].name
            else subjects[subject_number].name
        end as account_id
    from told
)

select
    sha256,
    record_number,
    'kubernetes' as source_system,
    'audit_log' as source_feed,
    'kubernetes' as system,
    coalesce(nullif(audit_id, ''), record_hash)
        || case when vendor_action = 'create serviceaccounts/token' then '/' || action else '' end
        || case when subject_count > 1 then '/' || account_id else '' end as event_id,
    case when vendor_action = 'create serviceaccounts/token' and action = 'credential_deleted'
        then token_ends_at else answered_at end as occurred_at,
    case when action like 'account%' then 3001 when action like 'entitlement%' then 3005 else 3004 end as ocsf_class,
    action,
    account_id,
    account_id as account_name,
    namespace as account_scope,
    case
        when action not like 'credential%' then null
        when resource = 'secrets' then namespace || '/' || name
        when resource = 'certificatesigningrequests' then name
        -- Without its end a token would look open for ever.
        when token_ends_at is not null then coalesce(nullif(issued_credential_id, ''), nullif(audit_id, ''), record_hash)
    end as credential_id,
    case
        when action not like 'credential%' then null
        when resource = 'secrets' then 'service_account_secret'
        when resource = 'certificatesigningrequests' then 'client_certificate'
        else 'service_account_token'
    end as credential_type,
    cast(null as bigint) as version,
    coalesce(nullif(impersonated_user_name, ''), user_name) as actor_id,
    case when action like 'entitlement%' then concat_ws('/', namespace, resource, name) end as entitlement,
    case when action like 'entitlement%' then coalesce(role_kind || ' ' || role_name, resource || ' ' || name) end as entitlement_name,
    case when action like 'entitlement%' then 'role' end as entitlement_type,
    case when action like 'entitlement%' then role_name = 'cluster-admin' end as is_privileged
from named
