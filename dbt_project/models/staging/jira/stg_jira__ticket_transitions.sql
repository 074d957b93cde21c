-- What changed in a Jira issue: one row per item of its change history, in whatever order Jira lists it. One change
-- may touch several fields.
with

changes as (
    select
        sha256,
        record_number,
        key as ticket_id,
        unnest(from_json(histories, '[{
            "id": "VARCHAR",
            "created": "VARCHAR",
            "author": {"accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR", "emailAddress": "VARCHAR"},
            "items": [{
                "field": "VARCHAR", "from": "VARCHAR", "fromString": "VARCHAR", "to": "VARCHAR", "toString": "VARCHAR"
            }]
        }]')) as change
    from {{ evidence_records('jira', 'issues') }}
    where histories is not null
),

numbered as (
    select *, unnest(generate_series(1, len(change.items))) as item_number
    from changes
)

select
    sha256,
    record_number,
    'jira' as source_system,
    'issues' as source_feed,
    ticket_id,
    coalesce(nullif(change.id, ''), change.created) as history_id,
    coalesce(nullif(change.id, ''), change.created) || '/' || item_number as transition_id,
    {{ instant('change.created') }} as changed_at,
    coalesce(nullif(change.author.accountId, ''), nullif(change.author.key, ''), nullif(change.author.name, ''))
        as actor_id,
    lower(nullif(change.author.emailAddress, '')) as actor_email,
    lower(trim(change.items[item_number].field)) as field,
    change.items[item_number].fromString as from_value,
    change.items[item_number].toString as to_value,
    true as is_history
from numbered
where {{ instant('change.created') }} is not null
