-- Requests, requested items, incidents and changes. The Table API writes UTC; what it or a list export shows to people is
-- in the zone of who exported it.
{%- set feed = 'servicenow/tickets' %}
with

records as (
    select
        *,
        {{ is_month_first([
            'created_on', 'updated_on', 'resolved_at', 'closed_at',
            'created_on_shown', 'updated_on_shown', 'resolved_at_shown', 'closed_at_shown'
        ]) }} as is_month_first
    from {{ evidence_records('servicenow', 'tickets') }}
),

-- The same number means something else in another table; tables that are not named here are tasks.
states (class_name, code, meaning) as (
    values
        ('incident', '1', 'New'), ('incident', '2', 'In Progress'), ('incident', '3', 'On Hold'),
        ('incident', '6', 'Resolved'), ('incident', '7', 'Closed'), ('incident', '8', 'Canceled'),
        ('change_request', '-5', 'New'), ('change_request', '-4', 'Assess'), ('change_request', '-3', 'Authorize'),
        ('change_request', '-2', 'Scheduled'), ('change_request', '-1', 'Implement'), ('change_request', '0', 'Review'),
        ('change_request', '3', 'Closed'), ('change_request', '4', 'Canceled'),
        ('task', '-5', 'Pending'), ('task', '1', 'Open'), ('task', '2', 'Work in Progress'),
        ('task', '3', 'Closed Complete'), ('task', '4', 'Closed Incomplete'), ('task', '7', 'Closed Skipped')
),

classified as (
    select
        *,
        case
            when class_name is not null then replace(lower(trim(class_name)), ' ', '_')
            when number like 'INC%' then 'incident'
            when number like 'CHG%' then 'change_request'
            when number like 'RITM%' then 'sc_req_item'
            when number like 'REQ%' then 'sc_request'
            when number like 'SCTASK%' then 'sc_task'
        end as named_class
    from records
),

-- Exports for people show a table's label.
labelled as (
    select
        *,
        case named_class
            when 'requested_item' then 'sc_req_item'
            when 'request' then 'sc_request'
            when 'catalog_task' then 'sc_task'
            else named_class
        end as kind
    from classified
)

select
    sha256,
    record_number,
    'servicenow' as source_system,
    'tickets' as source_feed,
    number as ticket_id,
    nullif(sys_id, '') as alias_id,
    try_cast(sys_mod_count as bigint) as revision,
    kind,
    coalesce(nullif(state_shown, ''), states.meaning, nullif(state, '')) as status,
    {%- for column, name in [
        ('created_on', 'created_at'), ('updated_on', 'updated_at'), ('resolved_at', 'resolved_at'), ('closed_at', 'closed_at')
    ] %}
    {{ servicenow_instant(column, ['labelled.state', 'labelled.class_name'], 'is_month_first', feed) }} as {{ name }},
    {%- endfor %}
    nullif(resolved_by, '') as resolved_by,
    nullif(closed_by, '') as closed_by,
    nullif(updated_by, '') as updated_by,
    nullif(requested_by, '') as requester_id,
    lower(coalesce(nullif(requested_by_email, ''), case when requested_by like '%_@_%' then requested_by end)) as requester_email,
    lower(nullif(requested_for_email, '')) as beneficiary_email,
    nullif(short_description, '') as summary,
    record,
    -- Decisions are records of their own.
    'approvals' as decisions_feed,
    cast(null as bigint) as history_total,
    cast(null as bigint) as history_returned
from labelled
left join states
    on labelled.state = states.code
    and states.class_name = case when labelled.kind in ('incident', 'change_request') then labelled.kind else 'task' end
