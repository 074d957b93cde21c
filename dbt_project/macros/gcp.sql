{#- What several models have to know about Google Cloud. -#}

{#- A member or principal without its kind: `serviceAccount:ci@p.iam.gserviceaccount.com` is that address, and of one
    deleted since, whose name may be taken again, its id. Groups and domains keep theirs: they are no accounts. -#}
{% macro gcp_account(member) -%}
case
    when regexp_matches({{ member }}, '^deleted:serviceAccount:.*[?]uid=') then regexp_extract({{ member }}, '[?]uid=(.+)$', 1)
    when regexp_matches({{ member }}, '^(deleted:)?(user|serviceAccount):')
        then lower(regexp_extract({{ member }}, '^(?:deleted:)?(?:user|serviceAccount):([^?]+)', 1))
    else nullif({{ member }}, '')
end
{%- endmacro %}


{#- A service account key's native id from the ways in which calls write it: with the API's host before it, `-` for the
    project, the account's id for its address. NULL where it names no key. -#}
{% macro gcp_key_name(path, project, email) -%}
'projects/'
    || coalesce(nullif(nullif(regexp_extract({{ path }}, 'projects/([^/]+)/', 1), '-'), ''), {{ project }}, '-')
    || '/serviceAccounts/'
    || case
        when regexp_extract({{ path }}, 'serviceAccounts/([^/]+)/', 1) like '%@%'
            then regexp_extract({{ path }}, 'serviceAccounts/([^/]+)/', 1)
        else coalesce(nullif({{ email }}, ''), regexp_extract({{ path }}, 'serviceAccounts/([^/]+)/', 1))
    end
    || '/keys/' || nullif(regexp_extract({{ path }}, '/keys/([^/]+)$', 1), '')
{%- endmacro %}


{#- A Secret Manager secret and the number of its version, from the ways in which calls write them. -#}
{% macro gcp_secret(path) -%}
nullif(regexp_extract({{ path }}, '(projects/[^/]+/(?:locations/[^/]+/)?secrets/[^/]+)', 1), '')
{%- endmacro %}


{% macro gcp_secret_version(path) -%}
try_cast(regexp_extract({{ path }}, '/secrets/[^/]+/versions/([0-9]+)$', 1) as bigint)
{%- endmacro %}


{#- Roles that make an administrator: owner, editor, and those that say so in their name. The one place that says it. -#}
{% macro is_privileged_gcp_role(role) -%}
({{ role }} in ('roles/owner', 'roles/editor') or contains(lower(regexp_extract({{ role }}, '([^/]+)$', 1)), 'admin'))
{%- endmacro %}


{% macro gcp_succeeded() -%}
coalesce(try_cast(nullif(status_code, '') as double), 0) = 0
{%- endmacro %}
