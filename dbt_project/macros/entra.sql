{#- What Entra's feeds have in common. -#}

{#- An activity as activities are compared: Entra writes one name with various case, dashes, spaces and full stops. -#}
{% macro bare_words(text) -%}
trim(regexp_replace(lower({{ text }}), '[^a-z0-9]+', ' ', 'g'))
{%- endmacro %}


{#- A changed value without the JSON around it: `["value"]`, `"value"` and `[\r\n  value\r\n]` are all value. -#}
{% macro changed_value(text) -%}
nullif(regexp_replace({{ text }}, '^[\s"\[\]]+|[\s"\[\]]+$', '', 'g'), '')
{%- endmacro %}


{#- The value of a property that an audit event changed: what it became, else what it was. Expects `changes`. -#}
{% macro changed(property) -%}
list_filter(changes, change -> change.name = '{{ property | lower }}' and change.value is not null)[1].value
{%- endmacro %}


{#- What an audit event acted upon, as Graph spells it or, where nothing is spelled so, as PowerShell does. -#}
{% macro audit_targets() -%}
case
    when len(list_filter(targets_in_capitals, target -> coalesce(target.id, target.type, target.name) is not null)) > 0
        then list_transform(targets_in_capitals, target -> {
            'id': target.id, 'type': target.type, 'odata_type': cast(null as varchar), 'name': target.name,
            'user_name': target.user_name, 'changes': target.changes
        })
    else targets
end
{%- endmacro %}


{#- The first thing acted upon that is of one of these kinds. Expects `subjects`. -#}
{% macro first_subject(kinds) -%}
list_filter(subjects, thing -> thing.kind in ({{ "'" ~ kinds | join("', '") ~ "'" }}))[1]
{%- endmacro %}


{#- An object id; empty and all zeros name nobody. -#}
{% macro object_id(text) -%}
nullif(nullif(trim({{ text }}), ''), '00000000-0000-0000-0000-000000000000')
{%- endmacro %}


{#- Directory roles that Microsoft labels privileged, by name and by the id of their template, the same in every
    tenant. -#}
{% macro privileged_directory_roles() -%}
(values
    ('Application Administrator', '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3'),
    ('Application Developer', 'cf1c38e5-3621-4004-a7cb-879624dced7c'),
    ('Attribute Provisioning Administrator', 'ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe'),
    ('Authentication Administrator', 'c4e39bd9-1100-46d3-8c65-fb160da0071f'),
    ('Authentication Extensibility Administrator', '25a516ed-2fa0-40ea-a2d0-12923a21473a'),
    ('B2C IEF Keyset Administrator', 'aaf43236-0c0d-4d5f-883a-6955382ac081'),
    ('Cloud Application Administrator', '158c047a-c907-4556-b7ef-446551a6b5f7'),
    ('Cloud Device Administrator', '7698a772-787b-4ac8-901f-60d6b08affd2'),
    ('Company Administrator', '62e90394-69f5-4237-9190-012177145e10'),
    ('Conditional Access Administrator', 'b1be1c3e-b65d-4f19-8427-f6fa0d97feb9'),
    ('Directory Synchronization Accounts', 'd29b2b05-8046-44ba-8758-1e26182fcf32'),
    ('Directory Writers', '9360feb5-f418-4baa-8175-e2a00bac4301'),
    ('Domain Name Administrator', '8329153b-31d0-4727-b945-745eb3bc5f31'),
    ('External Identity Provider Administrator', 'be2f45a1-457d-42af-a067-6ec1fa63bc45'),
    ('Global Administrator', '62e90394-69f5-4237-9190-012177145e10'),
    ('Global Reader', 'f2ef992c-3afb-46b9-b7cf-a126ee74c451'),
    ('Helpdesk Administrator', '729827e3-9c14-49f7-bb1b-9608f156bbb8'),
    ('Hybrid Identity Administrator', '8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2'),
    ('Intune Administrator', '3a2c62db-5318-420d-8d74-23affee5d9d5'),
    ('Lifecycle Workflows Administrator', '59d46f88-662b-457b-bceb-5c3809e5908f'),
    ('Partner Tier1 Support', '4ba39ca4-527c-499a-b93d-d9b492c50246'),
    ('Partner Tier2 Support', 'e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8'),
    ('Password Administrator', '966707d0-3269-4727-9be2-8c3a10f19b9d'),
    ('Privileged Authentication Administrator', '7be44c8a-adaf-4e2a-84d6-ab2649e08a13'),
    ('Privileged Role Administrator', 'e8611ab8-c189-46e8-94e1-60213ab1f814'),
    ('Security Administrator', '194ae4cb-b126-40b2-bd5b-6091b380977d'),
    ('Security Operator', '5f2222b1-57c3-48ba-8ad5-d4759f1fde6f'),
    ('Security Reader', '5d6b6bb7-de71-4623-b4af-96380a352509'),
    ('User Administrator', 'fe930be7-5e62-47db-91af-98c3a49a38b1')
)
{%- endmacro %}


{#- The lists of an object's credentials, as Graph spells them or PowerShell does. -#}
{% macro credentials_in_any_spelling() -%}
coalesce(key_credentials, key_credentials_in_capitals) as key_credentials,
        coalesce(password_credentials, password_credentials_in_capitals) as password_credentials
{%- endmacro %}


{#- The credentials that a Graph object lists, one row each: secrets, certificates, and certificates that sign tokens
    for others (shown as Sign, Verify and the password of the private key: one certificate). Expects the columns
    key_credentials and password_credentials. -#}
{% macro listed_credentials(records, keys) -%}
(
    with entries as (
        select {{ keys | join(', ') }}, unnest(key_credentials) as entry, false as is_password from {{ records }}
        union all by name
        select {{ keys | join(', ') }}, unnest(list_transform(password_credentials, secret -> {
            'key_id': secret.key_id, 'name': secret.name, 'usage': cast(null as varchar), 'type': cast(null as varchar),
            'custom_id': secret.custom_id, 'valid_from': secret.valid_from, 'valid_until': secret.valid_until
        })) as entry, true as is_password
        from {{ records }}
    ),

    told_apart as (
        select *, not is_password and lower(entry.usage) = 'sign' as signs
        from entries
        where entry.key_id is not null
    )

    select
        * exclude (signs, is_password),
        case when signs then 'signing_certificate' when is_password then 'client_secret' else 'certificate' end
            as credential_type
    from told_apart
    qualify signs or not (
        coalesce(bool_or(signs) over (partition by {{ keys | join(', ') }}, entry.key_id), false)
        or entry.custom_id is not null
        and coalesce(bool_or(signs) over (partition by {{ keys | join(', ') }}, entry.custom_id), false)
    )
)
{%- endmacro %}


{#- Words that people attach to an object, `key=value` or `key:value`, as tags, and its first owner as tag `owner`. Of
    one key twice the first value counts, in the order of the alphabet. -#}
{% macro graph_tags(tags, owners) -%}
{%- set pairs -%}
list_transform(
    list_filter(
        coalesce(from_json({{ tags }}, '["VARCHAR"]'), [])
        || list_transform(
            list_filter(coalesce({{ owners }}, []), owner -> coalesce(owner.user_name, owner.mail) is not null)[1:1],
            owner -> 'owner=' || coalesce(owner.user_name, owner.mail)
        ),
        tag -> regexp_matches(tag, '^[^=:]+[=:].')
    ),
    tag -> {'k': trim(regexp_extract(tag, '^([^=:]+)', 1)), 'v': trim(regexp_extract(tag, '^[^=:]+[=:](.*)$', 1))}
)
{%- endset -%}
map_from_entries(list_filter(
    list_sort(list_distinct({{ pairs }})),
    (pair, place) -> place = 1 or list_sort(list_distinct({{ pairs }}))[place - 1].k <> pair.k
))
{%- endmacro %}
