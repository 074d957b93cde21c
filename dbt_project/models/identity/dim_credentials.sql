-- Every credential that evidence shows, with the account it opens where one is known.
with

listed as (
    select system, instance, subject_id as credential_id,
        max_by(account_id, (collected_at, evidence)) as account_id,
        max_by(credential_type, (collected_at, evidence)) as credential_type,
        max_by(custody, (collected_at, evidence)) as custody,
        max_by(name, (collected_at, evidence)) as name,
        max_by(tags, (collected_at, evidence)) as tags
    from {{ ref('int_credential_listings') }}
    group by system, instance, subject_id
),

named_by_events as (
    select system, instance, credential_id,
        max_by(account_id, (occurred_at, event_id)) filter (account_id is not null) as account_id,
        max_by(credential_type, (occurred_at, event_id)) filter (credential_type is not null) as credential_type,
        case when bool_or(action in ('version_created', 'version_destroyed') or {{ is_versioned('credential_type') }})
            then 'versioned' else 'key' end as custody
    from {{ ref('int_events') }}
    where credential_id is not null
    group by system, instance, credential_id
),

-- A secret that was only ever read: its versions were made before the evidence begins, and no inventory names it.
only_read as (
    select system, instance, credential_id, max(credential_type) as credential_type
    from {{ ref('int_usage') }}
    anti join listed using (system, instance, credential_id)
    anti join named_by_events using (system, instance, credential_id)
    where version is not null and last_success_at is not null
    group by system, instance, credential_id
),

-- What the vendor makes and renews by itself shows which inventory spoke of what, and is nobody's to rotate.
together as (
    select
        system,
        instance,
        credential_id,
        coalesce(listed.account_id, named_by_events.account_id) as account_id,
        coalesce(listed.credential_type, named_by_events.credential_type, 'unknown') as credential_type,
        coalesce(listed.custody, named_by_events.custody) as custody,
        listed.name,
        coalesce(listed.tags, {{ no_tags() }}) as tags
    from listed
    full outer join named_by_events using (system, instance, credential_id)
    where listed.credential_type is distinct from 'vendor_managed_key'
    union all by name
    select system, instance, credential_id, coalesce(credential_type, 'unknown') as credential_type, 'versioned' as custody,
        {{ no_tags() }} as tags
    from only_read
)

select
    together.*,
    accounts.identity_id,
    accounts.identity_type,
    coalesce(together.name, accounts.user_name || ' ' || together.credential_type, together.credential_id)
        as credential_name
from together
left join {{ ref('dim_accounts') }} as accounts
    on together.system = accounts.system and together.instance = accounts.instance
    and together.account_id = accounts.account_id
