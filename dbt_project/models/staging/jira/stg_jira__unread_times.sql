-- Times in Jira issues that are there and can't be read, or only by taking the day to come first: a CSV export writes them
-- as the site and the user have it set.
{%- set times = ['created', 'updated'] %}
with

issues as (
    select
        *,
        {{ is_month_first(times) }} as is_month_first
        {%- for column in times %},
        {{ is_order_unknown(column, times) }} as is_order_of_{{ column }}_unknown
        {%- endfor %}
    from {{ evidence_records('jira', 'issues') }}
),

changes as (
    select sha256, record_number, key, unnest(from_json(histories, '[{"created": "VARCHAR"}]')).created as changed
    from issues
    where histories is not null
)

select * from {{ unread_times('jira', 'issues', 'issues', [
    {'name': 'created', 'text': 'created', 'read': jira_instant('created', 'is_month_first'),
        'is_doubtful': 'is_order_of_created_unknown'},
    {'name': 'updated', 'text': 'updated', 'read': jira_instant('updated', 'is_month_first'),
        'is_doubtful': 'is_order_of_updated_unknown'},
], key='key', is_shown=true) }}
union all
select * from {{ unread_times('jira', 'issues', 'changes', [
    {'name': 'changelog', 'text': 'changed', 'read': instant('changed')},
], key='key', is_shown=true) }}
