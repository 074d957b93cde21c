-- Which identity an account belongs to, and by which rule; the first rule that names one wins. Nothing is guessed:
-- an e-mail address that two people share links nobody.
with

accounts as (
    select
        system,
        instance,
        subject_id as account_id,
        max_by(user_name, (collected_at, evidence)) as user_name,
        max_by(display_name, (collected_at, evidence)) as display_name,
        max_by(email, (collected_at, evidence)) as email,
        max_by(account_type, (collected_at, evidence)) as account_type,
        max_by(employee_number, (collected_at, evidence)) as employee_number,
        max_by(tags, (collected_at, evidence)) as tags,
        max_by(evidence, (collected_at, evidence)) as evidence
    from {{ ref('int_account_listings') }}
    group by system, instance, subject_id
    union all by name
    select system, instance, account_id,
        coalesce(max_by(account_name, (occurred_at, event_id)), regexp_extract(account_id, '([^/]+)$', 1)) as user_name,
        case when max_by(account_name, (occurred_at, event_id)) like '%@%'
            then lower(max_by(account_name, (occurred_at, event_id))) end as email,
        {{ no_tags() }} as tags,
        max_by(evidence, (occurred_at, event_id))[1] as evidence
    from {{ ref('int_events') }} as event
    where account_id is not null and not exists (
        select 1 from {{ ref('int_account_listings') }} as listing
        where listing.system = event.system and listing.instance = event.instance
            and listing.subject_id = event.account_id
    )
    group by system, instance, account_id
),

decided as (
    select system, native_id, min(identity_id) as identity_id, min(identity_type) as identity_type,
        min(decision_evidence) as evidence
    from {{ in_force('identity_links') }}
    group by system, native_id
    having count(distinct identity_id) = 1
),

people_by_number as (
    select employee_id, min(person_id) as identity_id, max_by(identity_type, (hire_date, employee_id)) as identity_type
    from {{ ref('int_employments') }}
    group by employee_id
    having count(distinct person_id) = 1
),

people_by_email as (
    select work_email, min(person_id) as identity_id, max_by(identity_type, (hire_date, employee_id)) as identity_type
    from {{ ref('int_employments') }}
    where work_email is not null
    group by work_email
    having count(distinct person_id) = 1
),

classified as (
    select accounts.system, accounts.instance, accounts.account_id, rules.rule_id, rules.identity_type,
        rules.decision_evidence
    from accounts
    inner join {{ in_force('identity_rules') }} as rules
        on rules.system is null or rules.system = accounts.system
    where regexp_matches(
        case
            when rules.field = 'user_name' then accounts.user_name
            when rules.field in ('native_id', 'path') then accounts.account_id
            when rules.field = 'display_name' then accounts.display_name
            when rules.field = 'email' then accounts.email
            when rules.field = 'account_type' then accounts.account_type
            when starts_with(rules.field, 'tag:') then accounts.tags[substr(rules.field, 5)]
        end, rules.pattern)
    qualify row_number() over (
        partition by accounts.system, accounts.instance, accounts.account_id order by rules.record_number
    ) = 1
),

linked as (
    select
        accounts.*,
        case
            when decided.identity_id is not null then 'identity_links'
            when people_by_number.identity_id is not null then 'native id'
            when people_by_email.identity_id is not null then 'e-mail'
            when accounts.tags['identity_id'] is not null then 'tag'
            when classified.rule_id is not null and classified.identity_type not in ('employee', 'contractor')
                then 'pattern ' || classified.rule_id
        end as link_rule,
        case link_rule
            when 'identity_links' then decided.identity_id
            when 'native id' then people_by_number.identity_id
            when 'e-mail' then people_by_email.identity_id
            when 'tag' then accounts.tags['identity_id']
            else case when link_rule is not null then accounts.system || ':' || accounts.account_id end
        end as identity_id,
        coalesce(
            decided.identity_type,
            case when link_rule = 'identity_links' then decided_person.identity_type end,
            case when link_rule = 'native id' then people_by_number.identity_type end,
            case when link_rule = 'e-mail' then people_by_email.identity_type end,
            classified.identity_type,
            case when link_rule is not null then 'other' end
        ) as identity_type,
        case when link_rule = 'identity_links' then decided.evidence
            when link_rule like 'pattern%' then classified.decision_evidence end as link_evidence,
        'identity_links, employee number, e-mail' || coalesce(' ' || accounts.email, ' (none stated)')
            || ', tag identity_id, identity_rules' as tried
    from accounts
    left join decided on accounts.system = decided.system and accounts.account_id = decided.native_id
    left join people_by_number on accounts.employee_number = people_by_number.employee_id
    left join people_by_email on accounts.email = people_by_email.work_email
    left join people_by_number as decided_person on decided.identity_id = decided_person.employee_id
    left join classified
        on accounts.system = classified.system and accounts.instance = classified.instance
        and accounts.account_id = classified.account_id
)

select * from linked
