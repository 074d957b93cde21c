-- DOR: an enabled account that goes unused past the limit is disabled or used again by the end of the grace.
with

stretches as (
    select
        periods.period_id,
        periods.start_at,
        periods.cutoff_at,
        spells.system,
        spells.instance,
        spells.account_id,
        spells.opened_at,
        spells.opened_by,
        spells.closed_at,
        spells.known_open_until,
        spells.opened_evidence,
        spells.seen_evidence,
        spells.closed_evidence,
        lag(spells.closed_at) over (
            partition by periods.period_id, spells.system, spells.instance, spells.account_id order by spells.opened_by
        ) as closed_before_at
    from {{ ref('fct_account_spells') }} as spells
    cross join {{ ref('dim_periods') }} as periods
    where spells.opened_by < periods.cutoff_at
),

enabled as (
    select
        stretches.*,
        accounts.account_id as subject_id,
        accounts.account_name,
        accounts.account_type,
        cast(null as varchar) as credential_type,
        accounts.identity_id,
        accounts.identity_type,
        accounts.tags,
        accounts.evidence as account_evidence,
        creations.created_at
    from stretches
    inner join {{ ref('dim_accounts') }} as accounts using (system, instance, account_id)
    left join {{ ref('fct_account_creations') }} as creations using (system, instance, account_id)
    where closed_at is null or closed_at > start_at
),

uses as (
    select enabled.period_id, enabled.system, enabled.instance, enabled.account_id, enabled.opened_by, uses.used_at,
        uses.evidence
    from enabled
    inner join {{ ref('int_account_uses') }} as uses
        on enabled.system = uses.system and enabled.instance = uses.instance and enabled.account_id = uses.account_id
        and uses.used_at >= coalesce(enabled.opened_at, enabled.closed_before_at, timestamp '0001-01-01')
        and (enabled.closed_at is null or uses.used_at < enabled.closed_at)
),

-- Disuse begins with the last use, and before the first with the day from which the account could be used.
beginnings as (
    select period_id, system, instance, account_id, opened_by, used_at as unused_from, true as is_use, [evidence] as evidence
    from uses
    union all
    select period_id, system, instance, account_id, opened_by, coalesce(opened_at, opened_by), false, opened_evidence
    from enabled
    where opened_at is not null or not exists (
        select 1 from uses
        where uses.period_id = enabled.period_id and uses.system = enabled.system and uses.instance = enabled.instance
            and uses.account_id = enabled.account_id and uses.opened_by = enabled.opened_by
            and uses.used_at <= enabled.opened_by
    )
),

disused as (
    select
        enabled.*,
        beginnings.unused_from,
        beginnings.is_use,
        beginnings.evidence as beginning_evidence,
        lead(beginnings.unused_from) over timeline as used_again_at,
        lead(beginnings.evidence) over timeline as used_again_evidence,
        coalesce(lead(beginnings.unused_from) over timeline, enabled.closed_at) as ended_at
    from enabled
    inner join beginnings using (period_id, system, instance, account_id, opened_by)
    window timeline as (
        partition by enabled.period_id, enabled.system, enabled.instance, enabled.account_id, enabled.opened_by
        order by beginnings.unused_from, beginnings.is_use
    )
),

in_sight as (
    select *
    from disused
    where unused_from < cutoff_at and (ended_at is null or ended_at > start_at)
),

-- Most accounts are used every day: what is shorter than every limit needs no policy.
long_enough as (
    select *
    from in_sight
    where {{ seconds_between('unused_from', 'least(coalesce(ended_at, cutoff_at), cutoff_at)') }} / 86400 > (
        select min(cast(value as double))
        from {{ ref('dim_policies') }}
        where control_id = 'DOR' and parameter = 'limit_days'
    )
),

under_limit as (
    select *, unused_from + {{ days('limit_days') }} as limit_at
    from {{ with_policy('long_enough', 'DOR', 'limit_days', 'unused_from') }}
),

-- What outlasts the limit is a spell of dormancy.
dormant as (
    select *
    from under_limit
    where limit_at < cutoff_at and (ended_at is null or ended_at > limit_at)
),

under_grace as (
    select *, limit_at + {{ days('grace_days') }} as due_at, least(coalesce(ended_at, cutoff_at), cutoff_at) as unused_until
    from {{ with_policy('dormant', 'DOR', 'grace_days', 'unused_from') }}
),

under_policy as (
    select * from {{ with_policy('under_grace', 'DOR', 'log_gap_days', 'unused_from') }}
),

-- An inventory that still states the use before the spell proves that there was none until it was taken. An IAM user's
-- own last use is that of its password alone.
proven as (
    select
        spell.*,
        (
            select max(listing.collected_at)
            from {{ ref('int_account_listings') }} as listing
            where listing.system = spell.system and listing.instance = spell.instance
                and listing.subject_id = spell.account_id and listing.system <> 'aws'
                and listing.last_used_at <= spell.unused_from
        ) as proven_unused_until
    from under_policy as spell
),

gaps as (
    select
        proven.period_id,
        proven.system,
        proven.instance,
        proven.account_id,
        proven.unused_from,
        gap.gap_from,
        gap.gap_from <= proven.unused_from and gap.gap_from = timestamp '0001-01-01' as is_before_the_log,
        gap.decision_evidence,
        greatest(gap.gap_from, proven.unused_from, coalesce(proven.proven_unused_until, proven.unused_from)) as open_from,
        least(gap.gap_to, proven.unused_until) as open_to
    from proven
    inner join {{ ref('fct_use_log_gaps') }} as gap
        on proven.period_id = gap.period_id and proven.system = gap.system and proven.instance = gap.instance
    where gap.why <> 'no_events'
        and {{ seconds_between('greatest(gap.gap_from, proven.unused_from, coalesce(proven.proven_unused_until, proven.unused_from))', 'least(gap.gap_to, proven.unused_until)') }}
            > proven.log_gap_days * 86400
),

-- What lies before the first file of a log was never promised: there the silence since has to outlast the limit by itself.
unseen as (
    select
        period_id, system, instance, account_id, unused_from,
        min_by(open_from, open_from) filter (not is_before_the_log) as gap_from,
        min_by(open_to, open_from) filter (not is_before_the_log) as gap_to,
        max(open_to) filter (is_before_the_log) as watched_from,
        list(decision_evidence) as gap_evidence
    from gaps
    group by period_id, system, instance, account_id, unused_from
),

operations as (
    select
        proven.*,
        unseen.gap_from,
        unseen.gap_to,
        unseen.watched_from,
        unseen.gap_evidence,
        case
            when ended_at <= due_at then case when used_again_at is not null then 'used' else 'disabled' end
            when due_at >= cutoff_at then 'not due'
            when unseen.gap_from is not null then 'usage_unobserved'
            when unseen.watched_from + {{ days('limit_days + grace_days') }} >= unused_until then 'usage_unobserved'
            when known_open_until < due_at or known_open_until <= start_at then 'state_unobserved'
            when used_again_at is null and closed_at <= cutoff_at then 'disabled_late'
            else 'dormant_enabled'
        end as finding
    from proven
    left join unseen using (period_id, system, instance, account_id, unused_from)
),

-- The others: what they went without use at the longest, and whether a longer spell could have gone unseen because nobody
-- knows since when the account could be used.
others as (
    select
        period_id, start_at, cutoff_at, system, instance, account_id, subject_id, account_name, account_type,
        credential_type, identity_id, identity_type, tags, account_evidence,
        min(greatest(opened_by, start_at)) as enabled_from,
        max({{ seconds_between('unused_from', 'least(coalesce(ended_at, cutoff_at), cutoff_at)') }}) / 86400 as longest_days,
        max(unused_from) filter (is_use) as last_used_at,
        max_by(beginning_evidence, (unused_from, is_use)) || max_by(seen_evidence, opened_by) || list(account_evidence) as evidence,
        max({{ seconds_between("coalesce(created_at, timestamp '0001-01-01')", 'least(coalesce(ended_at, cutoff_at), cutoff_at)') }})
            filter (opened_at is null and not is_use) / 86400 as possible_days
    from in_sight
    anti join dormant using (period_id, system, instance, account_id)
    group by all
),

undormant as (
    select * from {{ with_policy('others', 'DOR', 'limit_days', 'enabled_from') }}
),

together as (
    select
        period_id, system, instance, subject_id, account_name, identity_id, finding, unused_from, due_at, ended_at,
        used_again_at, closed_at, cutoff_at, limit_days, grace_days, known_open_until, gap_from, gap_to, watched_from,
        case when ended_at <= greatest(cutoff_at, due_at) and finding <> 'state_unobserved' then ended_at end as performed_at,
        {{ seconds_between('unused_from', 'unused_until') }} / 86400 as unused_days,
        beginning_evidence || case
            when used_again_at <= greatest(cutoff_at, due_at) then used_again_evidence
            when used_again_at is null and closed_at <= greatest(cutoff_at, due_at) then closed_evidence
            else seen_evidence
        end || coalesce(gap_evidence, cast([] as varchar[])) || [account_evidence] as evidence
    from operations
    union all by name
    select
        period_id, system, instance, subject_id, account_name, identity_id,
        case when possible_days > limit_days then 'origin unknown' else 'never dormant' end as finding,
        last_used_at as performed_at, limit_days, longest_days as unused_days, evidence
    from undormant
),

described as (
    select
        *,
        'account' as subject_type,
        account_name as subject_name,
        '' as entitlement,
        '' as cycle,
        '' as distinguished_by,
        unused_from as opened_at,
        'unused_days' as measure_name,
        round(unused_days, 6) as measure_value,
        limit_days as threshold_value,
        'days' as unit,
        case
            when finding in ('used', 'disabled', 'never dormant') then 'operated'
            when finding = 'not due' then 'pending'
            when finding in ('dormant_enabled', 'disabled_late') then 'deviation'
            else 'indeterminate'
        end as verdict,
        case
            when finding in ('dormant_enabled', 'disabled_late', 'usage_unobserved', 'state_unobserved') then finding
            when finding = 'origin unknown' then 'usage_unobserved'
        end as reason,
        case finding
            when 'used' then 'Unused for ' || {{ said_number('unused_days') }} || ' d, used again on ' || {{ said('ended_at') }}
                || ', within the grace of ' || {{ said_number('grace_days') }} || ' d.'
            when 'disabled' then 'Unused for ' || {{ said_number('unused_days') }} || ' d, disabled on ' || {{ said('ended_at') }}
                || ', within the grace of ' || {{ said_number('grace_days') }} || ' d.'
            when 'never dormant' then 'Unused for ' || {{ said_number('unused_days') }} || ' d at the longest; '
                || {{ said_number('limit_days') }} || ' d allowed.'
            when 'not due' then 'Unused since ' || {{ said('unused_from') }} || '; to be disabled or used by ' || {{ said('due_at') }} || '.'
            when 'dormant_enabled' then 'Unused since ' || {{ said('unused_from') }} || ', for ' || {{ said_number('unused_days') }}
                || ' d; ' || {{ said_number('limit_days') }} || ' d allowed; '
                || case when used_again_at <= cutoff_at then 'used again on ' || {{ said('used_again_at') }} else 'still enabled' end || '.'
            when 'disabled_late' then 'Unused since ' || {{ said('unused_from') }} || '; disabled on ' || {{ said('closed_at') }}
                || ', due by ' || {{ said('due_at') }} || '.'
            when 'usage_unobserved' then 'No use known since ' || {{ said('unused_from') }} || ', but '
                || case
                    when gap_from is not null then 'no log shows use from ' || {{ said('gap_from') }} || ' to ' || {{ said('gap_to') }}
                    when watched_from < least(coalesce(ended_at, cutoff_at), cutoff_at)
                        then 'use is only watched from ' || {{ said('watched_from') }}
                    else 'no log shows use of this system'
                end || '.'
            when 'origin unknown' then 'No use is known, and nothing shows since when the account could be used.'
            else 'Unused since ' || {{ said('unused_from') }} || ', due by ' || {{ said('due_at') }} || '; last known enabled '
                || {{ said('known_open_until') }} || coalesce(', known disabled by ' || {{ said('closed_at') }}, '')
                || '. A gap in the logs could hide its closing in time.'
        end as reason_text,
        due_at as began_at
    from together
),

judged as (
    select * from {{ judged_operations('described', 'DOR') }}
)

select * from judged
