-- Stretches in which an access could be used: the whole account (entitlement is empty), or something it held while the
-- account itself was open. A group of a disabled account gives nobody anything; enabled again, it does.
with

accounts as (
    select system, instance, account_id, '' as entitlement, cast(null as varchar) as entitlement_name,
        opened_at is null as is_origin_unknown, opened_by, closed_at, is_close_exact, known_open_until,
        opened_evidence, seen_evidence, closed_evidence
    from {{ ref('fct_account_spells') }}
),

held_while_open as (
    select
        held.system,
        held.instance,
        held.account_id,
        held.entitlement,
        held.entitlement_name,
        held.opened_at is null and held.not_before is null as is_origin_unknown,
        greatest(held.opened_by, coalesce(account.opened_by, held.opened_by)) as opened_by,
        least(held.closed_at, account.closed_at) as closed_at,
        case
            when account.closed_at is null or held.closed_at <= account.closed_at then held.is_close_exact
            else account.is_close_exact
        end as is_close_exact,
        least(held.known_open_until, coalesce(account.known_open_until, held.known_open_until)) as known_open_until,
        held.opened_evidence,
        held.seen_evidence,
        case
            when held.closed_at is null and account.closed_at is null then cast([] as varchar[])
            when account.closed_at is null or held.closed_at <= account.closed_at then held.closed_evidence
            else account.closed_evidence
        end as closed_evidence
    from {{ ref('fct_entitlement_spells') }} as held
    -- Where nothing shows the account itself, what it holds has to speak alone.
    left join {{ ref('fct_account_spells') }} as account
        on held.system = account.system and held.instance = account.instance and held.account_id = account.account_id
    where account.account_id is null or (
        held.opened_by < coalesce(account.closed_at, timestamp '9999-01-01')
        and account.opened_by < coalesce(held.closed_at, timestamp '9999-01-01')
    )
)

select * from accounts
union all by name
select * from held_while_open
