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
