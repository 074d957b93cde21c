-- Every identity: people from HR, and what accounts are linked to that is nobody on the payroll.
with

people as (
    select person_id as identity_id, max_by(identity_type, (hire_date, employee_id)) as identity_type,
        max_by(full_name, (hire_date, employee_id)) as display_name, max_by(work_email, (hire_date, employee_id)) as email
    from {{ ref('int_employments') }}
    group by person_id
),

others as (
    select identity_id, min(identity_type) as identity_type, min(account_name) as display_name, min(email) as email
    from {{ ref('dim_accounts') }}
    where identity_id is not null and identity_id not in (select identity_id from people)
    group by identity_id
)

select *, identity_type in ('employee', 'contractor') as is_human from people
union all
select *, coalesce(identity_type in ('employee', 'contractor'), false) from others
