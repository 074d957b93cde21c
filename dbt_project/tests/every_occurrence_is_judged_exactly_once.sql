-- Every occasion on which a control had to operate has one row, counted here from the facts and not from the controls:
-- no occasion twice, no slot of a required feed left out, no credential interval and no leaver's account forgotten.
with

judged_twice as (
    select period_id, control_id, system || '/' || instance || '/' || subject_id as occasion, count(*) as found, 1 as expected
    from {{ ref('fct_control_operations') }}
    where opened_at is not null
    group by period_id, control_id, system, instance, subject_type, subject_id, entitlement, cycle, opened_at,
        -- Two versions of a secret may begin at one instant where its source only writes days.
        case when control_id = 'ROT' then performed_at end,
        -- Two campaigns may revoke one access at one instant, two tickets name one key, two events change one secret.
        case when control_id in ('RVF', 'INC', 'CHG') then operation_id end
    having count(*) > 1
),

log_slots as (
    select period_id, 'LOG' as control_id, subject_id || ' ' || cast(slot_start as varchar) as occasion
    from {{ ref('fct_log_slots') }}
),

-- Whole slots of so many days from the period's first day that fit into the stretch on which the requirement holds.
days as (
    select
        period_id,
        system || '/' || feed || '/' || instance as subject_id,
        cast(cadence_days as integer) as cadence,
        cast({{ local_time('period_start_at', 'timezone') }} as date) as first_day,
        cast({{ local_time('required_from', 'timezone') }} as date) - first_day as from_day,
        cast({{ local_time('required_until', 'timezone') }} as date) - first_day as until_day
    from {{ ref('dim_required_feeds') }}
    where cadence_days = floor(cadence_days) and cadence_days > 0
),

cadence_slots as (
    select period_id, 'EVD' as control_id,
        subject_id || ' ' || strftime(first_day + cast(number * cadence as integer), '%Y-%m-%d') as occasion
    from (
        select *, unnest(generate_series(
            cast(ceil(from_day / cadence) as bigint), cast(floor(until_day / cadence) as bigint) - 1
        )) as number
        from days
    )
),

intervals as (
    select periods.period_id, 'ROT' as control_id,
        intervals.system || '/' || intervals.instance || '/' || intervals.credential_id as occasion
    from {{ ref('fct_credential_intervals') }} as intervals
    inner join {{ ref('dim_periods') }} as periods
        on intervals.opened_by < periods.cutoff_at and (intervals.closed_at is null or intervals.closed_at > periods.start_at)
    -- A key that pauses may be closed as far as a period can tell: those are left to the control.
    where len(coalesce(intervals.pauses, [])) = 0
),

leavers_accounts as (
    select terminations.period_id, 'OFF' as control_id,
        accounts.system || '/' || accounts.instance || '/' || accounts.account_id || ' '
            || cast(terminations.terminated_at as varchar) as occasion
    from {{ ref('fct_terminations') }} as terminations
    inner join {{ ref('dim_periods') }} as periods on terminations.period_id = periods.period_id
    inner join {{ ref('dim_accounts') }} as accounts on terminations.identity_id = accounts.identity_id
    where terminations.rehired_at is null and terminations.terminated_at <= periods.cutoff_at
        and case
            when terminations.is_whole_day then terminations.terminated_at > periods.start_at
            else terminations.terminated_at >= periods.start_at and terminations.terminated_at < periods.end_at
        end
        and exists (
            select 1
            from {{ ref('fct_account_spells') }} as spells
            where spells.system = accounts.system and spells.instance = accounts.instance
                and spells.account_id = accounts.account_id and spells.opened_by <= terminations.terminated_at
                and (spells.closed_at is null or spells.closed_at > terminations.terminated_at)
        )
),

grants as (
    select periods.period_id, 'APR' as control_id,
        grants.system || '/' || grants.instance || '/' || grants.subject_id as occasion
    from {{ ref('fct_grants') }} as grants
    inner join {{ ref('dim_periods') }} as periods
        on grants.not_after >= periods.start_at and grants.not_after < periods.end_at
        and grants.not_after <= periods.cutoff_at
),

merged_changes as (
    select periods.period_id, 'CHG' as control_id,
        changes.system || '/' || changes.instance || '/' || changes.change_id as occasion
    from {{ ref('fct_changes') }} as changes
    inner join {{ ref('dim_periods') }} as periods
        on changes.merged_at >= periods.start_at and changes.merged_at < periods.end_at
        and changes.merged_at <= periods.cutoff_at
    where changes.is_protected is distinct from false
),

expected as (
    select period_id, control_id, occasion, count(*) as expected
    from (
        select * from log_slots
        union all
        select * from cadence_slots
        union all
        select * from intervals
        union all
        select * from leavers_accounts
        union all
        select * from grants
        union all
        select * from merged_changes
    )
    group by all
),

found as (
    select
        period_id,
        control_id,
        case control_id
            when 'LOG' then subject_id || ' ' || cast(opened_at as varchar)
            when 'EVD' then subject_id || ' ' || cycle
            when 'OFF' then system || '/' || instance || '/' || subject_id || ' ' || cast(opened_at as varchar)
            else system || '/' || instance || '/' || subject_id
        end as occasion,
        count(*) as found
    from {{ ref('fct_control_operations') }}
    group by all
)

select * from judged_twice
union all
select expected.period_id, expected.control_id, expected.occasion, coalesce(found.found, 0), expected.expected
from expected
left join found using (period_id, control_id, occasion)
-- A credential may have more intervals than those counted here, and a grant of an earlier period be settled in this one;
-- everything else has exactly one row.
where case when expected.control_id in ('ROT', 'APR') then coalesce(found.found, 0) < expected.expected
    else coalesce(found.found, 0) <> expected.expected end
union all
-- What the controls judge and the facts do not ask for.
select found.period_id, found.control_id, found.occasion, found.found, 0
from found
left join expected using (period_id, control_id, occasion)
where found.control_id in ('LOG', 'EVD') and expected.occasion is null
    and not exists (
        select 1
        from {{ ref('dim_required_feeds') }} as fractional
        where fractional.period_id = found.period_id and fractional.cadence_days <> floor(fractional.cadence_days)
    )
