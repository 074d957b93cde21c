-- Jira issues. Cloud names people by account id and may hide their e-mail; Server and Data Center by key or name. A CSV
-- export writes times in the site's zone and form, months in the user's language, and carries no history; a spreadsheet
-- puts figures in their stead.
with

records as (
    select *, {{ is_month_first(['created', 'updated']) }} as is_month_first
    from {{ evidence_records('jira', 'issues') }}
)

select
    sha256,
    record_number,
    'jira' as source_system,
    'issues' as source_feed,
    key as ticket_id,
    issue_type as kind,
    status,
    {%- for column in ['created', 'updated'] %}
    {{ jira_instant(column, 'is_month_first') }} as {{ column }}_at,
    {%- endfor %}
    coalesce(nullif(reporter_id, ''), nullif(reporter_key, ''), nullif(reporter_name, '')) as requester_id,
    lower(nullif(reporter_email, '')) as requester_email,
    cast(null as varchar) as beneficiary_email,
    summary,
    record,
    -- Jira says how many changes there are and may return fewer of them.
    coalesce(try_cast(history_total as bigint), json_array_length(histories)) as history_total,
    json_array_length(histories) as history_returned
from records
