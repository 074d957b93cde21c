-- Which directory object stands for which application: an application object and its service principal share the
-- application (client) id. From inventories, from the log and from sign-ins.
with

stated as (
    select sha256, record_number, 'service_principals' as source_feed, 'service_principal' as kind, id as object_id, app_id,
        {{ instant('created') }} as seen_at
    from {{ evidence_records('entra', 'service_principals') }}
    union all
    select sha256, record_number, 'applications', 'application', id, app_id, {{ instant('created') }}
    from {{ evidence_records('entra', 'applications') }}
    union all
    select sha256, min(record_number), 'sign_ins', 'service_principal', principal_id, app_id,
        min({{ instant('occurred', 'entra/sign_ins') }})
    from {{ evidence_records('entra', 'sign_ins') }}
    where user_id is null or user_id = ''
    group by sha256, principal_id, app_id
),

acted_upon as (
    select sha256, record_number, occurred, details, unnest({{ audit_targets() }}) as target
    from {{ evidence_records('entra', 'directory_audits') }}
    where regexp_matches({{ bare_words('activity') }}, '^(add|update|restore) (application|service principal)')
),

logged as (
    select sha256, min(record_number) as record_number, 'directory_audits' as source_feed,
        case lower(target.type) when 'application' then 'application' else 'service_principal' end as kind,
        target.id as object_id,
        coalesce(
            {{ changed_value("list_filter(target.changes, change -> lower(change.name) in ('appid', 'appprincipalid'))[1].new") }},
            list_filter(details, detail -> lower(detail.key) = 'appid')[1].value
        ) as app_id,
        min({{ instant('occurred', 'entra/directory_audits') }}) as seen_at
    from acted_upon
    where lower(target.type) in ('application', 'serviceprincipal')
    group by sha256, kind, object_id, app_id
),

together as (
    select * from stated
    union all by name
    select * from logged
)

select sha256, record_number, 'entra' as source_system, source_feed, seen_at, kind, object_id, lower(app_id) as app_id
from together
where {{ object_id('object_id') }} is not null and {{ object_id('app_id') }} is not null
