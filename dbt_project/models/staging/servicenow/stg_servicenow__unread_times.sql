-- Times in ServiceNow's tickets and approvals that are there and can't be read, or only by taking the day to come first:
-- what is exported for people has the format that they have chosen.
{%- set ticket_times = ['created_on', 'updated_on', 'resolved_at', 'closed_at'] %}
{%- set ticket_texts = ticket_times + ['created_on_shown', 'updated_on_shown', 'resolved_at_shown', 'closed_at_shown'] %}
{%- set approval_texts = ['updated_on', 'updated_on_shown'] %}
with

tickets as (
    select
        *,
        {{ is_month_first(ticket_texts) }} as is_month_first
        {%- for column in ticket_times %},
        {{ is_order_unknown(stated(column), ticket_texts) }} as is_order_of_{{ column }}_unknown
        {%- endfor %}
    from {{ evidence_records('servicenow', 'tickets') }}
),

approvals as (
    select
        *,
        {{ is_month_first(approval_texts) }} as is_month_first,
        {{ is_order_unknown(stated('updated_on'), approval_texts) }} as is_order_of_updated_on_unknown
    from {{ evidence_records('servicenow', 'approvals') }}
)

{% set times = [] -%}
{%- for column in ticket_times -%}
  {%- do times.append({
    'name': column,
    'text': stated(column),
    'read': servicenow_instant(column, ['state', 'class_name'], 'is_month_first', 'servicenow/tickets'),
    'is_doubtful': 'is_order_of_' ~ column ~ '_unknown',
  }) -%}
{%- endfor -%}
select * from {{ unread_times('servicenow', 'tickets', 'tickets', times, key='number', is_shown=true) }}
union all
select * from {{ unread_times('servicenow', 'approvals', 'approvals', [{
    'name': 'updated_on',
    'text': stated('updated_on'),
    'read': servicenow_instant('updated_on', ['state'], 'is_month_first', 'servicenow/approvals'),
    'is_doubtful': 'is_order_of_updated_on_unknown',
}], key="coalesce(nullif(sys_id, ''), coalesce(nullif(ticket_number, ''), nullif(ticket_sys_id, '')) || '/' || approver)", is_shown=true) }}
