{#- What several models have to know about Azure Key Vault. -#}

{#- The object that a Key Vault URI names, without its version: `https://<vault>.vault.azure.net/secrets/<name>`. Names
    know no case; a deleted object is called by another path. Also from the vault's path in Azure, which some tools give. -#}
{% macro key_vault_object(uri) -%}
case
    when regexp_matches({{ uri }}, '(?i)^https?://[^/]+/(deleted)?(secrets|keys|certificates)/[^/?]+')
        then lower(regexp_replace({{ uri }}, '(?i)^https?://([^/:]+)(?::[0-9]+)?/(?:deleted)?(secrets|keys|certificates)/([^/?]+).*$',
            'https://\1/\2/\3'))
    when regexp_matches({{ uri }}, '(?i)/vaults/[^/]+/(secrets|keys|certificates)/[^/?]+')
        then lower(regexp_replace({{ uri }}, '(?i)^.*/vaults/([^/]+)/(secrets|keys|certificates)/([^/?]+).*$',
            'https://\1.vault.azure.net/\2/\3'))
end
{%- endmacro %}


{#- The version that an object's id names, else the 32 hexadecimal digits in the URI called, where a verb may stand in
    their place. -#}
{% macro key_vault_version(id, request_uri) -%}
nullif(lower(coalesce(
    nullif(nullif(regexp_extract({{ id }}, '(?i)/(?:secrets|keys|certificates)/[^/?]+/([^/?]+)', 1), 'pending'), ''),
    regexp_extract({{ request_uri }}, '(?i)/(?:secrets|keys|certificates)/[^/?]+/([0-9a-f]{32})(?:[/?]|$)', 1)
)), '')
{%- endmacro %}


{% macro key_vault_succeeded() -%}
coalesce(
    try_cast(http_status as double) between 200 and 299,
    lower(trim(nullif(result_signature, ''))) in ('ok', 'created', 'accepted', 'no content', 'nocontent'),
    lower(result_type) in ('success', 'succeeded'),
    false
)
{%- endmacro %}
