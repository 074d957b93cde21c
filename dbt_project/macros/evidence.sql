{#- How staging reaches evidence. Nothing else in the project knows where files lie. -#}

{% macro home_path(path) -%}
{{ var('home') }}/{{ path }}
{%- endmacro %}


{#- The ledger as rows: one per entry. A home without evidence yet has no ledger; the shape stays the same. -#}
{% macro ledger_rows() -%}
{%- set path = home_path('evidence/ledger.jsonl') -%}
{%- set columns = {
    'entry': 'BIGINT',
    'sha256': 'VARCHAR',
    'system': 'VARCHAR',
    'feed': 'VARCHAR',
    'instance': 'VARCHAR',
    'original_name': 'VARCHAR',
    'size_bytes': 'BIGINT',
    'collected_at': 'VARCHAR',
    'collected_at_source': 'VARCHAR',
    'window_start': 'VARCHAR',
    'window_end': 'VARCHAR',
    'window_source': 'VARCHAR',
    'declared_record_count': 'BIGINT',
    'declared_sha256': 'VARCHAR',
    'query': 'VARCHAR',
    'filtered': 'BOOLEAN',
    'snapshot_id': 'VARCHAR',
    'collected_by': 'VARCHAR',
    'sidecar_sha256': 'VARCHAR',
    'status': 'VARCHAR',
    'reject_reason': 'VARCHAR',
    'records_parsed': 'BIGINT',
    'records_rejected': 'BIGINT',
    'first_event_at': 'VARCHAR',
    'last_event_at': 'VARCHAR',
    'continuation': 'BOOLEAN',
} -%}
{%- set found = (execute and run_query("select count(*) from glob('" ~ path ~ "')").columns[0].values()[0]) -%}
{%- if found -%}
read_json('{{ path }}', format = 'newline_delimited', columns = {{ columns }})
{%- else -%}
(select {% for column, type in columns.items() %}cast(null as {{ type }}) as {{ column }}{{ ', ' if not loop.last }}{% endfor %} where false)
{%- endif -%}
{%- endmacro %}


{#- Each staging model remembers up to which ledger entry it has read, in the same transaction as its rows. -#}
{% macro create_ledger_positions() %}
create table if not exists ledger_positions (model varchar primary key, entry bigint)
{% endmacro %}


{% macro remember_ledger_position() %}
insert or replace into ledger_positions
select '{{ this.identifier }}', coalesce(max(entry), 0) from {{ ledger_rows() }}
{% endmacro %}


{#- The records of one feed as ingest read them: only files delivered since this model last ran, unless it is
    being made anew. Adds sha256 and record_number, the lineage of every row. Rejected records stay out. A unit test
    gives records in their stead (`format: sql`, only the columns that matter; the others are NULL). -#}
{% macro evidence_records(system, feed) -%}
{%- set registered_for_lineage = source(system, feed) -%}
{%- set folder = home_path('lake/' ~ system ~ '/' ~ feed) -%}
{%- set files = [folder ~ '/_schema.parquet'] -%}
{%- if '__dbt__cte__' in (registered_for_lineage | string) -%}
(
    select cast(null as varchar) as sha256, cast(null as bigint) as record_number, * exclude (reject_reason)
    from read_parquet({{ files }})
    where false
    union all by name
    select * from {{ registered_for_lineage }}
)
{%- else -%}
{%- if execute -%}
  {%- set position = 0 -%}
  {%- if is_incremental() -%}
    {%- set position = run_query("select coalesce(max(entry), 0) from ledger_positions where model = '" ~ this.identifier ~ "'").columns[0].values()[0] -%}
  {%- endif -%}
  {%- set delivered -%}
    select distinct '{{ folder }}/' || sha256 || '.parquet' as file
    from {{ ledger_rows() }}
    where system = '{{ system }}' and feed = '{{ feed }}' and status = 'accepted' and entry > {{ position }}
    order by file
  {%- endset -%}
  {%- set files = files + run_query(delivered).columns[0].values() | list -%}
{%- endif -%}
(
    select
        regexp_extract(filename, '([0-9a-f]{64})\.parquet$', 1) as sha256,
        file_row_number + 1 as record_number,
        * exclude (filename, file_row_number)
    from read_parquet({{ files }}, filename = true, file_row_number = true, union_by_name = true)
    where reject_reason is null
)
{%- endif -%}
{%- endmacro %}


{#- What a vendor's words for what happened mean in ours, from the feed's description: (vendor_action, action), the
    former as vendor_word() writes it. A word with several meanings has a row for each. -#}
{% macro vendor_actions(system, feed) -%}
{%- set rows = [] -%}
{%- for word, meanings in described_actions(system, feed).get('means', {}).items() -%}
  {%- for meaning in ([meanings] if meanings is string else meanings) -%}
    {%- do rows.append("(" ~ vendor_word(sql_text(word)) ~ ", " ~ sql_text(meaning) ~ ")") -%}
  {%- endfor -%}
{%- endfor -%}
(select vendor_action, action from (values {{ rows | join(', ') or "('', '')" }}) as meaning (vendor_action, action) where action <> '')
{%- endmacro %}


{#- The vendor's words that show use and nothing else, from the feed's description: (vendor_action). -#}
{% macro vendor_uses(system, feed) -%}
{%- set use = described_actions(system, feed).get('use', []) -%}
{%- set words = [] -%}
{%- for word in ([] if use is string else use) -%}
  {%- do words.append("(" ~ vendor_word(sql_text(word)) ~ ")") -%}
{%- endfor -%}
(select vendor_action from (values {{ words | join(', ') or "('')" }}) as used (vendor_action) where vendor_action <> '')
{%- endmacro %}


{#- A vendor's word as it is compared: no case, no spaces around it, no period at its end. -#}
{% macro vendor_word(text) -%}
rtrim(lower(trim({{ text }})), '. ')
{%- endmacro %}


{% macro sql_text(text) -%}
'{{ text | replace("'", "''") }}'
{%- endmacro %}


{% macro described_actions(system, feed) -%}
{%- set found = [] -%}
{%- if execute and graph.sources is defined -%}
  {%- for node in graph.sources.values() if node.source_name == system and node.name == feed -%}
    {%- do found.append(node.config.meta.get('actions') or {}) -%}
  {%- endfor -%}
{%- elif execute -%}
  {#- In a unit test dbt knows of no sources but those it was given: so from the description itself. -#}
  {%- set path = (invocation_args_dict.get('project_dir') or '.') ~ '/../pipelines/ingest/feeds/' ~ system ~ '/' ~ feed ~ '.yml' -%}
  {%- set text = run_query("select content from read_text('" ~ path ~ "')").columns[0].values()[0] -%}
  {%- for table in fromyaml(text).sources[0].tables if table.name == feed -%}
    {%- do found.append(table.config.meta.get('actions') or {}) -%}
  {%- endfor -%}
{%- endif -%}
{{ return(found[0] if found else {}) }}
{%- endmacro %}


{#- Everything rejected so far, with file and record number. -#}
{% macro rejected_records() -%}
(
    select
        regexp_extract(filename, '/([^/]+)/([^/]+)/rejected/', 1) as system,
        regexp_extract(filename, '/([^/]+)/([^/]+)/rejected/', 2) as feed,
        regexp_extract(filename, '([0-9a-f]{64})\.parquet$', 1) as sha256,
        * exclude (filename)
    from read_parquet('{{ home_path("lake") }}/*/*/rejected/*.parquet', filename = true, union_by_name = true)
)
{%- endmacro %}


{#- One evidence record, as reports print it. -#}
{% macro evidence_ref(sha256='sha256', record_number='record_number') -%}
({{ sha256 }} || ':' || cast({{ record_number }} as varchar))
{%- endmacro %}



{#- What the completeness suites wrote between the two halves of the build. -#}
{% macro expectation_results() -%}
{%- set registered_for_lineage = source('completeness', 'expectation_results') -%}
read_parquet('{{ home_path("build/expectation_results.parquet") }}')
{%- endmacro %}
