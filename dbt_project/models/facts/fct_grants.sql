-- Everything that gave somebody a way in or more to do: new accounts, keys, and groups, roles, policies, scopes and
-- applications. `granted_at` is the instant where evidence fixes it; else the grant lies after `not_before` (empty:
-- nothing was collected before) and not after `not_after`.
with

lifecycle as (
    select *, lag(action) over (partition by system, instance, account_id order by occurred_at, event_id) as action_before
    from {{ ref('int_events') }}
    where account_id is not null and action in ('account_created', 'account_registered', 'account_deleted')
),

-- An account that was deleted and made anew is granted anew.
made_anew as (
    select system, instance, account_id, occurred_at as granted_at, evidence
    from lifecycle
    where action <> 'account_deleted' and action_before = 'account_deleted'
),

first_sightings as (
    select system, instance, subject_id as account_id, min(observed_at) as first_seen_at,
        min_by(evidence, (observed_at, source_rank, evidence)) as evidence
    from {{ ref('int_account_observations') }}
    group by all
),

creations as (
    select system, instance, subject_id as account_id,
        min_by(evidence, (observed_at, source_rank, evidence)) as evidence,
        -- The log's own time beats the date that an inventory states for the same creation.
        min(observed_at) as first_stated_at, min(observed_at) filter (source_rank = 0) as first_logged_at
    from {{ ref('int_account_observations') }}
    where is_open and is_exact and tie_order = 0
    group by all
),

seen_only as (
    select system, instance, account_id as subject_id, account_id as scope_hint, first_seen_at as opened_by, evidence
    from first_sightings
    anti join creations using (system, instance, account_id)
),

accounts as (
    select system, instance, account_id, evidence,
        case when first_logged_at - first_stated_at <= interval 60 second then first_logged_at else first_stated_at end
            as granted_at,
        granted_at as not_before, granted_at as not_after
    from creations
    union all by name
    select system, instance, account_id, evidence, granted_at, granted_at as not_before, granted_at as not_after
    from made_anew
    union all by name
    select system, instance, subject_id as account_id, evidence, cast(null as timestamp) as granted_at, not_before,
        not_after
    from {{ with_bounds_of_beginning('seen_only', ref('int_account_listings'), 'account_state') }}
),

keys as (
    select
        system,
        instance,
        account_id,
        credential_id,
        credential_type,
        credential_name,
        identity_id,
        identity_type,
        tags,
        opened_at,
        opened_by,
        closed_at,
        opened_evidence as evidence
    from {{ ref('fct_credential_intervals') }}
    where custody = 'key'
),

-- A key beside an older one of its account replaces it where the older one closes within seven days of its creation.
beside_older as (
    select
        key.system,
        key.instance,
        key.credential_id,
        key.opened_by,
        bool_or(older.closed_at is null or older.closed_at > key.opened_by) as is_further,
        coalesce(bool_or(abs({{ seconds_between('key.opened_by', 'older.closed_at') }}) <= 7 * 86400), false) as is_rotation
    from keys as key
    inner join keys as older
        on key.system = older.system and key.instance = older.instance and key.account_id = older.account_id
        and key.credential_type = older.credential_type and key.credential_id <> older.credential_id
        and older.opened_by < key.opened_by
    group by all
),

first_seen_keys as (
    select keys.*, credential_id as subject_id, coalesce(account_id, credential_id) as scope_hint
    from keys
    where opened_at is null
),

bounded_keys as (
    select * exclude (closed_at), opened_at as granted_at, opened_at as not_before,
        opened_at as not_after
    from keys
    where opened_at is not null
    union all by name
    select * exclude (subject_id, scope_hint, closed_at), cast(null as timestamp) as granted_at
    from {{ with_bounds_of_beginning('first_seen_keys', ref('int_credential_listings'), 'credential_state') }}
),

credentials as (
    select
        bounded_keys.*,
        coalesce(beside_older.is_further, false) as is_further_key,
        -- Until then an older key may still close, which makes this one its successor.
        case when beside_older.is_further then not_after + interval 7 day end as settled_at
    from bounded_keys
    left join beside_older using (system, instance, credential_id, opened_by)
    where not coalesce(beside_older.is_rotation, false)
),

entitlements as (
    select system, instance, account_id, entitlement, entitlement_name, entitlement_type, is_privileged,
        opened_at as granted_at, not_before, not_after, opened_evidence as evidence
    from {{ ref('fct_entitlement_spells') }}
),

grants as (
    select 'account' as grant_type, 'account' as subject_type, account_id as subject_id, * from accounts
    union all by name
    select 'credential' as grant_type, 'credential' as subject_type, credential_id as subject_id,
        * exclude (identity_id, identity_type, tags, opened_at, opened_by),
        identity_id as key_identity_id, identity_type as key_identity_type, tags as key_tags
    from credentials
    union all by name
    select 'entitlement' as grant_type, 'account' as subject_type, account_id as subject_id, * from entitlements
),

-- Who did it, as the event at that instant says.
acts as (
    select system, instance, account_id, credential_id, entitlement, occurred_at, min(actor_id) as actor_id,
        case when action in ('account_created', 'account_registered') then 'account'
            when action = 'credential_created' then 'credential' else 'entitlement' end as grant_type
    from {{ ref('int_events') }}
    where action in ('account_created', 'account_registered', 'credential_created', 'entitlement_granted')
        and actor_id is not null
    group by all
)

select
    grants.grant_type,
    grants.system,
    grants.instance,
    grants.subject_type,
    grants.subject_id,
    coalesce(grants.credential_name, accounts.account_name, grants.subject_id) as subject_name,
    grants.account_id,
    accounts.user_name,
    accounts.email,
    accounts.account_type,
    grants.credential_id,
    grants.credential_type,
    coalesce(grants.entitlement, '') as entitlement,
    grants.entitlement_name,
    grants.entitlement_type,
    coalesce(grants.is_privileged, false) as is_privileged,
    coalesce(accounts.identity_id, grants.key_identity_id) as identity_id,
    coalesce(accounts.identity_type, grants.key_identity_type) as identity_type,
    coalesce(accounts.tags, grants.key_tags, {{ no_tags() }}) as tags,
    grants.granted_at,
    grants.not_before,
    grants.not_after,
    coalesce(grants.is_further_key, false) as is_further_key,
    grants.settled_at,
    acts.actor_id as granted_by,
    list_filter(coalesce(grants.evidence, []) || [accounts.evidence], record -> record is not null) as evidence
from grants
left join {{ ref('dim_accounts') }} as accounts
    on grants.system = accounts.system and grants.instance = accounts.instance and grants.account_id = accounts.account_id
left join acts
    on grants.grant_type = acts.grant_type and grants.system = acts.system and grants.instance = acts.instance
    and grants.granted_at = acts.occurred_at
    and case grants.grant_type
        when 'credential' then grants.credential_id = acts.credential_id
        when 'account' then grants.account_id = acts.account_id
        else grants.account_id = acts.account_id and grants.entitlement = acts.entitlement
    end
