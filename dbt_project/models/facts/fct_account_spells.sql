-- Stretches in which an account could be used, with the evidence that opens and closes each. Most systems enable and
-- disable accounts, and an IAM role can be taken on while it exists; an IAM user can be used while it has a console
-- password, an active key or certificate, so its spells are those of its ways in, joined where they overlap.
with

observations as (
    select system, instance, subject_id, observed_at, is_open, is_exact, source_rank, tie_order, evidence
    from {{ ref('int_account_observations') }}
    where system <> 'aws' or subject_id like 'arn:aws%:iam::%:role/%'
),

enabled as (
    select * from {{ open_stretches('observations', ['system', 'instance', 'subject_id']) }}
),

uses as (
    select system, instance, account_id as subject_id, last_success_at as used_at
    from {{ ref('int_usage') }}
    where account_id is not null and last_success_at is not null
),

enabled_watched as (
    select * from {{ with_known_open_until('enabled', 'account_state', 'uses') }}
),

ways_in as (
    select
        keys.* exclude (subject_id, incarnation),
        credentials.account_id as subject_id
    from {{ ref('int_key_stretches') }} as keys
    inner join {{ ref('dim_credentials') }} as credentials
        on keys.system = credentials.system and keys.instance = credentials.instance
        and keys.subject_id = credentials.credential_id
    where keys.system = 'aws' and credentials.account_id is not null
),

numbered as (
    select *, sum(case when opened_by <= open_until_so_far then 0 else 1 end) over (
        partition by system, instance, subject_id order by opened_by, coalesce(closed_at, timestamp '9999-01-01')
        rows unbounded preceding
    ) as island
    from (
        select *, max(coalesce(closed_at, timestamp '9999-01-01')) over (
            partition by system, instance, subject_id order by opened_by, coalesce(closed_at, timestamp '9999-01-01')
            rows between unbounded preceding and 1 preceding
        ) as open_until_so_far
        from ways_in
    )
),

joined as (
    select
        system,
        instance,
        subject_id,
        -- The first way in opens the account; where its origin is unknown, so is the account's.
        min_by(coalesce(opened_at, timestamp '0001-01-01'), opened_by) as first_opened_at,
        min(opened_by) as opened_by,
        bool_and(is_open_exact) as is_open_exact,
        case when bool_or(closed_at is null) then null else max(closed_at) end as closed_at,
        max_by(is_close_exact, (coalesce(closed_at, timestamp '9999-01-01'), is_close_exact)) as is_close_exact,
        max_by(close_source_rank, coalesce(closed_at, timestamp '9999-01-01')) as close_source_rank,
        max(last_seen_open_at) as last_seen_open_at,
        max(known_open_until) as known_open_until,
        min_by(opened_evidence, (opened_by, opened_evidence)) as opened_evidence,
        max_by(seen_evidence, (last_seen_open_at, seen_evidence)) as seen_evidence,
        case when bool_or(closed_at is null) then null else max_by(closed_evidence, (closed_at, closed_evidence)) end
            as closed_evidence
    from numbered
    group by system, instance, subject_id, island
),

usable as (
    select * from enabled_watched
    union all by name
    select * exclude (first_opened_at), nullif(first_opened_at, timestamp '0001-01-01') as opened_at from joined
)

select
    system,
    instance,
    subject_id as account_id,
    opened_at,
    opened_by,
    is_open_exact,
    closed_at,
    is_close_exact,
    close_source_rank,
    last_seen_open_at,
    known_open_until,
    coalesce(opened_evidence, cast([] as varchar[])) as opened_evidence,
    coalesce(seen_evidence, cast([] as varchar[])) as seen_evidence,
    coalesce(closed_evidence, cast([] as varchar[])) as closed_evidence
from usable
