{#- Text to an instant: TIMESTAMP in UTC, microseconds. What has no zone is in the zone configured for `feed`
    (`system/feed`), else UTC. Vendors' ways of saying "never" (N/A, no_information, 0000-00-00, empty) become NULL.
    Plain numbers are seconds, milliseconds or microseconds since 1970, told apart by size. A date with slashes before an
    hour with AM or PM is how portals in American English write it: month first. -#}
{% macro instant(text, feed=none) -%}
{%- set zone = feed_timezone(feed) -%}
(case
    when regexp_full_match(trim({{ text }}), '[0-9]{9,10}(\.[0-9]+)?')
        then make_timestamp(cast(round(try_cast({{ text }} as decimal(20, 6)) * 1000000) as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{12,13}(\.[0-9]+)?')
        then make_timestamp(cast(round(try_cast({{ text }} as decimal(20, 6)) * 1000) as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{15,16}') then make_timestamp(try_cast({{ text }} as bigint))
    when regexp_full_match(trim({{ text }}), '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4},? [0-9:.]+ [AP]M')
        then {{ zoned("try_strptime(replace(trim(" ~ text ~ "), ',', ''), ['%m/%d/%Y %I:%M:%S.%f %p', '%m/%d/%Y %I:%M:%S %p'])", zone) }}
    -- 09/10/25 would pass for a day of the year 9.
    when not regexp_matches(trim({{ text }}), '^[0-9]{4}[^0-9]') then null
    {% if zone != 'UTC' -%}
    -- Neither Z, nor an offset, nor a zone's name after a time of day.
    when not regexp_matches(trim({{ text }}), ':.*([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?| [A-Z]{2,5})$')
        then {{ zoned('try_cast(trim(' ~ text ~ ') as timestamp)', zone) }}
    {% endif -%}
    else try_cast(try_cast(trim({{ text }}) as timestamptz) as timestamp)
end)
{%- endmacro %}


{#- A date with its month as a word (9/Okt./25 1:42 PM, Oct 9, 2025, 13:42:05, 9 de octubre de 2025 1:42 p. m.) as
    English writes it in one form: 9/Oct/25 1:42 PM. NULL for anything else; only whole words of the named languages count,
    since a Finnish November begins like March. -#}
{% macro date_in_words(text) -%}
{%- set plain = "regexp_replace(trim(strip_accents(lower(" ~ text ~ "))), '[\\s\\pZ]+', ' ', 'g')" -%}
{%- set time = '(?:at |a |um )?([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?: ?([ap])[.]? ?m[.]?)?' -%}
{%- set day_first = "'^(?:[a-z]+[.]?,? )?([0-9]{1,2})[-/. ]+(?:de )?([a-z]+)[.]?[-/, ]+(?:de )?([0-9]{4}|[0-9]{2}),? " ~ time ~ "$'" -%}
{%- set month_first = "'^(?:[a-z]+[.]?,? )?([a-z]+)[.]? ([0-9]{1,2}),? ([0-9]{4}),? " ~ time ~ "$'" -%}
list_transform(
    [case
        when regexp_matches({{ plain }}, {{ day_first }})
            then regexp_extract({{ plain }}, {{ day_first }}, ['day', 'month', 'year', 'time', 'half'])
        when regexp_matches({{ plain }}, {{ month_first }}) then {
            'day': regexp_extract({{ plain }}, {{ month_first }}, 2),
            'month': regexp_extract({{ plain }}, {{ month_first }}, 1),
            'year': regexp_extract({{ plain }}, {{ month_first }}, 3),
            'time': regexp_extract({{ plain }}, {{ month_first }}, 4),
            'half': regexp_extract({{ plain }}, {{ month_first }}, 5)
        }
    end],
    found -> found.day || '/' || (case
        {%- for month, words in months_in_words() %}
        when found.month in ({{ "'" ~ words.split(' ') | join("', '") ~ "'" }}) then '{{ month }}'
        {%- endfor %}
    end) || '/' || found.year || ' ' || found.time || case when found.half = '' then '' else ' ' || upper(found.half) || 'M' end
)[1]
{%- endmacro %}


{#- The months in English, German, Spanish, French, Italian, Portuguese and Dutch, in full and as they are cut short,
    without accents. -#}
{% macro months_in_words() -%}
{{ return([
    ('Jan', 'jan january januar janner ene enero janv janvier gen gennaio janeiro januari'),
    ('Feb', 'feb february februar febrero fev fevr fevrier febbraio fevereiro februari'),
    ('Mar', 'mar march mrz marz marzo mars marco mrt maart'),
    ('Apr', 'apr april abr abril avr avril aprile'),
    ('May', 'may mai mayo mag maggio maio mei'),
    ('Jun', 'jun june juni junio juin giu giugno junho'),
    ('Jul', 'jul july juli julio juil juillet lug luglio julho'),
    ('Aug', 'aug august ago agosto aou aout augustus'),
    ('Sep', 'sep sept september septiembre setiembre septembre set sett settembre setembro'),
    ('Oct', 'oct october okt oktober octubre octobre ott ottobre out outubro'),
    ('Nov', 'nov november noviembre novembre novembro'),
    ('Dec', 'dec december dez dezember dic diciembre decembre dicembre dezembro'),
]) }}
{%- endmacro %}


{#- The zone of a feed's times that name none: configured in upheld.toml, UTC by default. -#}
{% macro feed_timezone(feed) -%}
{{ return(var('feed_timezones', {}).get(feed, 'UTC')) }}
{%- endmacro %}


{#- A local time in a zone as a UTC instant. -#}
{% macro zoned(local, zone) -%}
{{ local if zone == 'UTC' else "cast(timezone('" ~ zone ~ "', " ~ local ~ ") as timestamp)" }}
{%- endmacro %}


{#- The day that a text names where it names no time of day, else NULL. Such a day means its end in a period's zone. -#}
{% macro bare_day(text) -%}
(case when not contains(trim({{ text }}), ':') then try_cast(trim({{ text }}) as date) end)
{%- endmacro %}


{#- Midnight at the start of a local day, as a UTC instant. -#}
{% macro local_midnight(day, zone) -%}
(timezone({{ zone }}, cast({{ day }} as timestamp)) at time zone 'UTC')
{%- endmacro %}


{#- A UTC instant as its local calendar time in a zone. -#}
{% macro local_time(instant, zone) -%}
(({{ instant }} at time zone 'UTC') at time zone {{ zone }})
{%- endmacro %}


{#- Exact length in seconds, with fractions. -#}
{% macro seconds_between(earlier, later) -%}
((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000000.0)
{%- endmacro %}


{% macro hours(count) -%} to_microseconds(cast(round(({{ count }}) * 3600000000) as bigint)) {%- endmacro %}
{% macro days(count) -%} to_microseconds(cast(round(({{ count }}) * 86400000000) as bigint)) {%- endmacro %}


{#- An instant in a sentence: 2026-03-02 14:05:09 UTC. -#}
{% macro said(instant) -%}
strftime({{ instant }}, '%Y-%m-%d %H:%M:%S UTC')
{%- endmacro %}


{#- A number in a sentence: at most two decimals, none where it is whole. -#}
{% macro said_number(number) -%}
regexp_replace(regexp_replace(printf('%.2f', cast({{ number }} as double)), '0+$', ''), '\.$', '')
{%- endmacro %}


{% macro as_of() -%}
cast(timestamptz '{{ var("as_of") }}' as timestamp)
{%- endmacro %}
