-- Employees as the HR system lists them. A termination date is a day; only where a time of day other than midnight
-- stands with it is it an instant. A date that can't be read is kept as text: the person left, and when is unknown.
with

employees as (
    select
        *,
        {{ without_midnight("coalesce(nullif(trim(termination_date), ''), nullif(trim(last_day_of_work), ''))") }}
            as termination_text
    from {{ evidence_records('hr', 'employees') }}
),

cleaned as (
    select
        * replace (
            case
                when termination_text in ('0000-00-00', 'N/A', 'n/a', 'NULL', 'null', '-') then null
                when termination_text like 'N/A%' then null
                when {{ calendar_date('termination_text') }} >= date '9000-01-01' then null
                else termination_text
            end as termination_text
        )
    from employees
)

select
    sha256,
    record_number,
    'hr' as source_system,
    'employees' as source_feed,
    trim(employee_id) as employee_id,
    coalesce(nullif(trim(full_name), ''), nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''))
        as full_name,
    lower(nullif(trim(work_email), '')) as work_email,
    {{ calendar_date(without_midnight('hire_date')) }} as hire_date,
    {{ calendar_date('termination_text') }} as termination_date,
    case when regexp_matches(termination_text, '[T ][0-9]{1,2}:[0-9]{2}') then {{ instant('termination_text') }} end
        as termination_at,
    termination_text,
    coalesce(regexp_matches(
        lower(trim(status)),
        'terminat|inactive|inaktiv|left|former|separated|offboarded|dismissed|resigned|retired|deceased|ausgeschieden|^(no|false|0)$'
    ), false) as is_marked_left,
    case
        when regexp_matches(lower(coalesce(worker_type, '')), 'contract|contingent|freelanc|external|consult')
            then 'contractor'
        else 'employee'
    end as identity_type
from cleaned
