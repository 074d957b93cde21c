-- What happened to users, service principals, applications, their credentials and their access. Three layouts of one
-- event become one shape first: what was acted upon (`subjects`) and what changed (`changes`). An application object
-- stands for its account here; which service principal that is, identity finds out.
with

acts as (
    select {{ bare_words('vendor_action') }} as said, action,
        count(*) over (partition by vendor_action) as meanings
    from {{ vendor_actions('entra', 'directory_audits') }}
),

records as (
    select
        * replace (
            {{ audit_targets() }} as targets,
            coalesce(actor_user_id, initiator ->> '$.user.id') as actor_user_id,
            coalesce(actor_user_name, initiator ->> '$.user.userPrincipalName') as actor_user_name,
            coalesce(actor_principal_id, initiator ->> '$.app.servicePrincipalId') as actor_principal_id,
            coalesce(actor_app_id, initiator ->> '$.app.appId') as actor_app_id,
            coalesce(actor_app_name, initiator ->> '$.app.displayName') as actor_app_name
        ),
        coalesce(nullif(id, ''), record_hash) as event_id,
        {{ bare_words('activity') }} as said,
        targets is null and unified_targets is not null as is_unified
    from {{ evidence_records('entra', 'directory_audits') }}
    where lower(result) in ('success', 'succeeded', 'true')
),

shaped as (
    select
        * exclude (targets, unified_targets),
        case
            when is_unified then list_transform(
                list_filter(unified_targets, target -> regexp_matches(target.id, '^[A-Za-z]+_.')),
                target -> {
                    'id': regexp_extract(target.id, '^[A-Za-z]+_(.+)$', 1),
                    'kind': lower(regexp_extract(target.id, '^([A-Za-z]+)_', 1)),
                    'name': list_filter(unified_targets, other -> other.type = '1')[1].id,
                    'user_name': list_filter(unified_targets, other -> other.type = '5')[1].id,
                    'changed': cast([] as varchar[])
                }
            )
            else list_transform(targets, target -> {
                'id': nullif(target.id, ''),
                'kind': coalesce(
                    lower(nullif(target.type, '')),
                    lower(nullif(regexp_extract(target.odata_type, '(?i)targetResource([a-z]+)$', 1), '')),
                    -- Nothing but a user has a principal name.
                    case when target.user_name <> '' then 'user' end,
                    ''
                ),
                'name': target.name,
                'user_name': target.user_name,
                'changed': list_transform(coalesce(target.changes, []), change -> lower(change.name))
            })
        end as subjects,
        list_transform(
            case when is_unified then unified_changes else flatten(list_transform(targets, target -> coalesce(target.changes, []))) end,
            change -> {
                'name': lower(trim(change.name)),
                'old': change.old,
                'new': change.new,
                'value': coalesce({{ changed_value('change.new') }}, {{ changed_value('change.old') }})
            }
        ) as changes
    from records
),

described as (
    select
        * exclude (changes),
        coalesce(changes, []) as changes,
        coalesce(
            {{ object_id('actor_user_id') }},
            {{ object_id('actor_principal_id') }},
            {{ object_id('actor_app_id') }},
            nullif(actor_app_name, ''),
            regexp_extract(list_filter(unified_actors, actor -> regexp_matches(actor.id, '^(User|ServicePrincipal)_.'))[1].id,
                '^[A-Za-z]+_(.+)$', 1),
            list_filter(unified_actors, actor -> actor.type = '0')[1].id,
            nullif(actor_user_name, '')
        ) as actor_id,
        coalesce(
            case
                when said like '%service principal%' then {{ first_subject(['serviceprincipal']) }}
                when said like '%application%' and said not like 'consent%' then {{ first_subject(['application']) }}
                when said like '%user%' or said like '% account' then {{ first_subject(['user']) }}
                else {{ first_subject(['serviceprincipal', 'user']) }}
            end,
            list_filter(subjects, thing -> thing.kind in ('', 'other'))[1]
        ) as subject
    from shaped
),

meant as (
    select described.*, acts.action, acts.meanings
    from described
    inner join acts using (said)
),

-- Accounts. An update counts where it changed AccountEnabled; what is added disabled is no way in yet.
account_acts as (
    select
        * replace (
            case when action = 'account_created' and lower({{ changed('AccountEnabled') }}) = 'false'
                then 'account_registered' else action end as action
        ),
        list_filter(changes, change -> change.name = 'accountenabled')[1] as switch
    from meant
    where action like 'account_%'
),

accounts as (
    select
        * exclude (switch),
        subject.id as account_id,
        coalesce(nullif(subject.user_name, ''), subject.name) as account_name,
        case
            when subject.kind in ('application', 'serviceprincipal') then 'service_principals'
            else 'users'
        end as listing_scope,
        3001 as ocsf_class
    from account_acts
    where subject.id is not null and case
        when meanings = 1 or action not in ('account_enabled', 'account_disabled') then true
        else {{ changed_value('switch.new') }} is distinct from {{ changed_value('switch.old') }}
            and lower({{ changed_value('switch.new') }}) = case action when 'account_enabled' then 'true' else 'false' end
    end
),

-- Credentials. KeyDescription lists all that there were and all that there are; the difference happened.
credential_acts as (
    select * exclude (action, meanings), any_value(action) as only_action, count(*) as credential_meanings,
        any_value(meanings) as meanings
    from meant
    where action like 'credential_%'
    group by all
),

described_keys as (
    select sha256, record_number, side,
        unnest(regexp_extract_all(described, '(?s)KeyIdentifier=[^\]]*')) as key_text
    from (
        select sha256, record_number, unnest([
            {'side': 'old', 'described': change.old}, {'side': 'new', 'described': change.new}
        ], recursive := true)
        from (select sha256, record_number, unnest(changes) as change from credential_acts)
        where change.name = 'keydescription'
    )
),

keys as (
    select
        sha256,
        record_number,
        lower(regexp_extract(key_text, 'KeyIdentifier=([^,\s]+)', 1)) as credential_id,
        min(side) as side,
        min(regexp_extract(key_text, '(?s)DisplayName=(.*)$', 1)) as credential_name,
        bool_or(signs) as signs,
        bool_and(is_password) as is_password
    from (
        select *, key_text like '%KeyType=Password%' as is_password,
            key_text like '%KeyUsage=Sign%' and key_text not like '%KeyType=Password%' as signs
        from described_keys
    )
    group by sha256, record_number, regexp_extract(key_text, 'KeyIdentifier=([^,\s]+)', 1)
    having count(distinct side) = 1
),

-- A certificate that signs shows a second time, to verify what it signed.
told_keys as (
    select *
    from keys
    qualify signs or is_password or not coalesce(
        bool_or(signs) over (partition by sha256, record_number, side, credential_name), false
    )
),

credentials as (
    select
        credential_acts.* exclude (only_action, credential_meanings, meanings)
            replace (event_id || coalesce(':' || told_keys.credential_id || ':' || told_keys.side, '') as event_id),
        case told_keys.side when 'new' then 'credential_created' when 'old' then 'credential_deleted' else only_action end
            as action,
        subject.id as account_id,
        subject.name as account_name,
        case when subject.kind = 'application' then 'applications' else 'service_principals' end as listing_scope,
        told_keys.credential_id,
        case when signs then 'signing_certificate' when is_password then 'client_secret'
            when told_keys.credential_id is not null then 'certificate' end as credential_type,
        3004 as ocsf_class
    from credential_acts
    left join told_keys using (sha256, record_number)
    where subject.id is not null and (
        told_keys.credential_id is not null
        -- The activity alone says what happened, though not to which key.
        or meanings = 1 and not exists (
            select 1 from keys
            where keys.sha256 = credential_acts.sha256 and keys.record_number = credential_acts.record_number
        )
    )
),

-- Access. PIM has its own event for each role it gives or takes; what it then does as MS-PIM is the same act again.
access_acts as (
    select *
    from meant
    where action like 'entitlement_%'
        and not (not is_unified and lower(coalesce(actor_app_name, '')) = 'ms-pim' and said not like '%pim%')
    -- A consent comes with the grants it leads to.
    qualify said <> 'consent to application' or not coalesce(bool_or(said <> 'consent to application')
        over (partition by sha256, coalesce(correlation_id, event_id)), false)
),

accesses as (
    select
        *,
        case
            when said like '%member%group%' then 'group'
            when said like '%member%role%' then 'role'
            when said like '%app role assignment%' then 'application'
            else 'scope'
        end as entitlement_type,
        list_filter(subjects, subject -> len(list_filter(subject.changed,
            change -> regexp_matches(change, '^(approle|delegatedpermissiongrant)\.'))) > 0)[1] as changed_resource
    from access_acts
),

resources as (
    select *, case when entitlement_type in ('application', 'scope') and said not like '%consent%'
        then coalesce(changed_resource, subjects[1]) end as resource
    from accesses
),

named_access as (
    select
        *,
        case entitlement_type
            when 'group' then coalesce({{ first_subject(['user', 'serviceprincipal']) }}.id,
                case when {{ changed('Group.ObjectID') }} is not null and subjects[1].kind = '' then subjects[1].id end)
            when 'role' then coalesce({{ first_subject(['user', 'serviceprincipal', 'group']) }}.id, subject.id)
            else coalesce(
                {{ changed('User.ObjectID') }},
                {{ changed('ServicePrincipal.ObjectID') }},
                {{ first_subject(['user']) }}.id,
                list_filter(subjects, each -> each.kind = 'serviceprincipal'
                    and (resource.id is null or each.id <> resource.id))[1].id,
                subject.id
            )
        end as account_id,
        case entitlement_type
            when 'group' then coalesce({{ changed('Group.ObjectID') }}, {{ first_subject(['group', '']) }}.id)
            when 'role' then lower(coalesce({{ changed('Role.TemplateId') }}, {{ changed('TemplateId') }},
                {{ changed('Role.ObjectID') }}, {{ changed('RoleDefinitionOriginId') }}, {{ first_subject(['role']) }}.id))
            when 'application' then resource.id || coalesce('/' || {{ object_id(changed('AppRole.Id')) }}, '')
            else coalesce(resource.id, nullif(regexp_extract({{ changed('ConsentAction.Permissions') }}, 'ResourceId: *([^,\]\s]+)', 1), ''),
                subject.id)
        end as entitlement,
        case entitlement_type
            when 'group' then coalesce({{ changed('Group.DisplayName') }}, {{ first_subject(['group', '']) }}.name)
            when 'role' then coalesce({{ first_subject(['role']) }}.name, {{ changed('Role.DisplayName') }})
            when 'application' then resource.name || coalesce(': ' || coalesce({{ changed('AppRole.Value') }}, {{ changed('AppRole.DisplayName') }}), '')
            else concat_ws(': ', resource.name, trim(coalesce({{ changed('DelegatedPermissionGrant.Scope') }},
                nullif(regexp_extract({{ changed('ConsentAction.Permissions') }}, 'Scope: *([^,\]]+)', 1), ''))))
        end as entitlement_name
    from resources
),

entitlements as (
    select
        named_access.*,
        list_filter(subjects, each -> each.id = account_id)[1] as holder,
        case when entitlement_type = 'role' then exists (
            select 1
            from {{ privileged_directory_roles() }} as privileged(role_name, template_id)
            where privileged.template_id = named_access.entitlement
                or lower(privileged.role_name) = lower(named_access.entitlement_name)
        ) end as is_privileged,
        case entitlement_type when 'group' then 3006 else 3005 end as ocsf_class
    from named_access
    where account_id is not null and entitlement is not null
),

together as (
    select sha256, record_number, event_id, occurred, ocsf_class, action, account_id, account_name, listing_scope, actor_id
    from accounts
    union all by name
    select sha256, record_number, event_id, occurred, ocsf_class, action, account_id, account_name, listing_scope, credential_id, credential_type, actor_id
    from credentials
    union all by name
    select sha256, record_number, event_id, occurred, ocsf_class, action, account_id,
        coalesce(nullif(holder.user_name, ''), holder.name) as account_name,
        entitlement, nullif(entitlement_name, '') as entitlement_name, entitlement_type, is_privileged, actor_id
    from entitlements
)

select
    sha256,
    record_number,
    'entra' as source_system,
    'directory_audits' as source_feed,
    'entra' as system,
    event_id,
    {{ instant('occurred', 'entra/directory_audits') }} as occurred_at,
    ocsf_class,
    action,
    account_id,
    account_name,
    cast(null as varchar) as account_scope,
    credential_id,
    credential_type,
    cast(null as bigint) as version,
    actor_id,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    listing_scope
from together
