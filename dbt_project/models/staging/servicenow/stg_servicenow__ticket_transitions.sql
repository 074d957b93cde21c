-- Decisions of approvers. ServiceNow keeps no time of the decision; the approval's last update is taken for it. An
-- approval exported again after an update is a further state of it.
{%- set feed = 'servicenow/approvals' %}
with

records as (
    select *, {{ is_month_first(['updated_on', 'updated_on_shown']) }} as is_month_first
    from {{ evidence_records('servicenow', 'approvals') }}
),

dated as (
    select
        *,
        {{ servicenow_instant('updated_on', ['state'], 'is_month_first', feed) }} as changed_at,
        coalesce(nullif(ticket_number, ''), nullif(ticket_sys_id, '')) as ticket_id,
        replace(replace(lower(trim(state)), ' ', '_'), 'canceled', 'cancelled') as decision
    from records
)

select
    sha256,
    record_number,
    'servicenow' as source_system,
    'approvals' as source_feed,
    ticket_id,
    coalesce(nullif(sys_id, ''), ticket_id || '/' || approver) as history_id,
    coalesce(nullif(sys_id, ''), ticket_id || '/' || approver) || '/' || strftime(changed_at, '%Y%m%dT%H%M%SZ')
        || '/' || decision as transition_id,
    changed_at,
    approver as actor_id,
    lower(coalesce(nullif(approver_email, ''), case when approver like '%_@_%' then approver end)) as actor_email,
    'approval' as field,
    cast(null as varchar) as from_value,
    case decision
        when 'no_longer_required' then 'not_required'
        when 'not_yet_requested' then 'not_requested'
        else decision
    end as to_value,
    true as is_history
from dated
where changed_at is not null and ticket_id is not null
