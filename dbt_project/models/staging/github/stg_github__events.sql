-- Accounts, what they may do, credentials and pipeline secrets in GitHub's audit log, which has successes only. The
-- description says what each of GitHub's actions means.
with

records as (
    select
        * replace (
            -- Enterprise Server writes a list where several organisations share a resource.
            coalesce(
                nullif(case when json_type(org) = 'ARRAY' then org ->> '$[0]' else org ->> '$' end, ''),
                nullif(split_part(repository, '/', 1), '')
            ) as org,
            -- The log streaming writes some of what an event has not as empty texts.
            {%- for column in [
                'user', 'actor', 'business', 'repository', 'integration', 'name', 'team', 'token_id', 'personal_access_token_id',
                'personal_access_token_name', 'public_key_id', 'fingerprint', 'environment_name', 'secret_name', 'organization_role',
                'oauth_application_id'
            ] %}
            nullif("{{ column }}", '') as "{{ column }}",
            {%- endfor %}
            lower(nullif(permission, '')) as permission,
            lower(nullif(old_permission, '')) as old_permission
        )
    from {{ evidence_records('github', 'audit_log') }}
),

meant as (
    select records.* exclude (action), {{ vendor_word('records.action') }} as vendor_action, meaning.action
    from records
    inner join {{ vendor_actions('github', 'audit_log') }} as meaning on {{ vendor_word('records.action') }} = meaning.vendor_action
    where meaning.action not in ('branch_protected', 'branch_unprotected')
),

operations as (
    select
        *,
        split_part(vendor_action, '.', 1) as category,
        -- GitHub's permissions from the least to the most, by their names in the API and on the page.
        list_position(['none', 'pull', 'read', 'triage', 'push', 'write', 'maintain', 'admin'], permission) as permission_rank,
        list_position(['none', 'pull', 'read', 'triage', 'push', 'write', 'maintain', 'admin'], old_permission)
            as old_permission_rank
    from meant
),

-- Where a word has several meanings, the record's permissions say which.
told as (
    select *
    from operations
    where case
        when action = 'entitlement_granted' and vendor_action = 'org.add_member' then permission = 'admin'
        when action = 'entitlement_granted' and vendor_action = 'org.update_member' then coalesce(permission, 'admin') = 'admin'
        when action = 'entitlement_revoked' and vendor_action = 'org.update_member' then old_permission = 'admin' and permission <> 'admin'
        when action = 'entitlement_granted' and vendor_action = 'repo.update_member'
            then permission_rank is null or old_permission_rank is null or permission_rank >= old_permission_rank
        when action = 'entitlement_revoked' and vendor_action = 'repo.update_member' then permission = 'none'
        else true
    end
),

named as (
    select
        *,
        case
            when action like 'pipeline_secret%' then null
            -- A key of a repository has no user: it is a way in for whoever holds it.
            when category = 'public_key' and repository is not null then null
            -- An app acts as the bot of its slug.
            when category in ('integration_installation', 'integration')
                then regexp_replace(lower(trim(coalesce(integration, name))), '[^a-z0-9]+', '-', 'g') || '[bot]'
            -- Of one's own tokens and keys the log names the actor only; of anybody else's account the actor is another.
            when category in (
                'personal_access_token', 'public_key', 'org_credential_authorization', 'oauth_access', 'oauth_authorization'
            ) then coalesce("user", actor)
            else "user"
        end as account_id,
        case category
            when 'personal_access_token' then 'personal_access_token'
            when 'public_key' then case when repository is not null then 'deploy_key' else 'ssh_key' end
            when 'org_credential_authorization' then 'sso_authorization'
            when 'oauth_access' then 'oauth_token'
            when 'oauth_authorization' then 'oauth_authorization'
            when 'integration' then 'client_secret'
        end as key_type,
        case
            when category in ('repo', 'environment') then repository
            when category in ('org', 'organization_role') then org
            else business
        end as place
    from told
)

select
    sha256,
    record_number,
    'github' as source_system,
    'audit_log' as source_feed,
    'github' as system,
    coalesce(nullif(document_id, ''), record_hash) || case
        when count(*) over (partition by sha256, record_number) > 1 then '/' || action else ''
    end as event_id,
    {{ instant('occurred_at', feed='github/audit_log') }} as occurred_at,
    case
        when action like 'account%' then 3001
        when action like 'entitlement%' then case when category = 'team' then 3006 else 3005 end
        else 3004
    end as ocsf_class,
    action,
    account_id,
    case when category in ('integration_installation', 'integration') then coalesce(integration, name) else account_id end
        as account_name,
    coalesce(case when category = 'public_key' then repository end, org, business) as account_scope,
    case
        when action like 'pipeline_secret%'
            then concat_ws('/', place, case when category = 'environment' then environment_name end, secret_name)
        -- An organisation's log knows a fine-grained token by its owner and its name alone.
        when category = 'personal_access_token' then coalesce(
            personal_access_token_id, account_id || '/' || personal_access_token_name, token_id
        )
        when category = 'public_key' then coalesce(public_key_id, fingerprint)
        when category = 'org_credential_authorization' then coalesce(fingerprint, token_id)
        when category = 'oauth_access' then token_id
        when category = 'oauth_authorization' then 'oauth/' || oauth_application_id || '/' || account_id
    end as credential_id,
    case when action like 'pipeline_secret%' then 'pipeline_secret' else key_type end as credential_type,
    cast(null as bigint) as version,
    actor as actor_id,
    case
        when action not like 'entitlement%' then null
        when vendor_action in ('team.promote_maintainer', 'team.demote_maintainer') then team || ':maintainer'
        when category = 'team' then team
        when category = 'repo' then repository
        when category = 'user' then 'site_admin'
        when category = 'organization_role' then concat_ws(':', org, organization_role)
        when category = 'org' and permission is null and old_permission is null then org
        else coalesce(place, category) || ':admin'
    end as entitlement,
    case
        when action not like 'entitlement%' then null
        when category = 'repo' then concat_ws(' ', repository, permission)
        when category = 'team' then team
        when category = 'user' then 'site administrator'
        when category = 'organization_role' then concat_ws(' in ', organization_role, org)
        when category = 'org' and permission is null and old_permission is null then 'role in ' || org
        else concat_ws(' ', 'owner of', place)
    end as entitlement_name,
    case when action like 'entitlement%' then case when category = 'team' then 'group' else 'role' end end as entitlement_type,
    case
        when action not like 'entitlement%' or category = 'team' then null
        when category in ('business', 'user') then true
        -- What a role may do is not in the log, but for GitHub's own that administers every repository.
        when category = 'organization_role' then case when organization_role = 'all_repo_admin' then true end
        when action = 'entitlement_revoked' and category = 'org' then true
        else permission = 'admin'
    end as is_privileged
from named
where account_id is not null or credential_type in ('deploy_key', 'pipeline_secret')
