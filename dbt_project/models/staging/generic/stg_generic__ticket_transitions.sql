-- Approvals in our own ticket CSV: one row per approver, all at the stated instant.
with

approvers as (
    select
        *,
        unnest(list_distinct(list_filter(
            list_transform(string_split(approver_email, ';'), email -> lower(trim(email))), email -> email <> ''
        ))) as approver
    from {{ evidence_records('generic', 'tickets') }}
    where {{ instant('approved_at') }} is not null
)

select
    sha256,
    record_number,
    'generic' as source_system,
    'tickets' as source_feed,
    ticket_id,
    'approved' as history_id,
    'approved/' || approver as transition_id,
    {{ instant('approved_at') }} as changed_at,
    approver as actor_id,
    approver as actor_email,
    'approval' as field,
    cast(null as varchar) as from_value,
    'approved' as to_value,
    -- The row is how the ticket stands at the export: what a later one lacks was withdrawn.
    false as is_history
from approvers
