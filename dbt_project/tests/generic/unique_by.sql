{# No two rows agree in all of these columns; NULL agrees with NULL. #}
{% test unique_by(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
