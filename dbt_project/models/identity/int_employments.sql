-- Employments over time: an employee and a hire date, as the latest HR export that lists them says. A later export that
-- takes a termination back corrects it; a later hire date is another employment of the same person. Employee numbers
-- that share a work e-mail are one person, who may hold two employments at once and leaves with the last of them.
with

listings as (
    select
        * exclude (employee_id),
        employee_id as subject_id,
        'hr' as system,
        '' as absence_scope
    from {{ delivered(['stg_hr__employees']) }}
),

latest as (
    select *
    from listings
    qualify row_number() over (
        partition by instance, subject_id, hire_date order by collected_at desc, sha256 desc, record_number desc
    ) = 1
),

gone as (
    select instance, subject_id, max(observed_at) as gone_by, max_by(evidence, observed_at) as evidence
    from {{ absences('listings', '(select system, instance, subject_id, subject_id as scope_hint, collected_at as seen_at from listings)') }}
    group by instance, subject_id
),

last_listed as (
    select instance, subject_id, max(collected_at) as last_listed_at from listings group by instance, subject_id
),

first_marked as (
    select instance, subject_id, hire_date, min(collected_at) as marked_at
    from listings
    where is_marked_left or termination_text is not null
    group by instance, subject_id, hire_date
),

emails as (
    select distinct instance, subject_id, work_email from listings
),

first_of_email as (
    select instance, work_email, min(subject_id) as first_id
    from emails
    where work_email is not null
    group by instance, work_email
),

people as (
    select emails.instance, emails.subject_id, coalesce(min(first_of_email.first_id), emails.subject_id) as person_id
    from emails
    left join first_of_email using (instance, work_email)
    group by emails.instance, emails.subject_id
),

known as (
    select
        latest.*,
        people.person_id,
        case when gone.gone_by > last_listed.last_listed_at then gone.gone_by end as vanished_by,
        case when gone.gone_by > last_listed.last_listed_at then gone.evidence end as vanished_evidence,
        first_marked.marked_at,
        latest.termination_text is not null or latest.is_marked_left as is_ended,
        -- The last day, or the day on which the person was first seen to have left.
        coalesce(latest.termination_date, cast(latest.termination_at as date),
            cast(case when is_ended then first_marked.marked_at else vanished_by end as date)) as left_on
    from latest
    inner join people on latest.instance = people.instance and latest.subject_id = people.subject_id
    inner join last_listed on latest.instance = last_listed.instance and latest.subject_id = last_listed.subject_id
    left join gone on latest.instance = gone.instance and latest.subject_id = gone.subject_id
    left join first_marked
        on latest.instance = first_marked.instance and latest.subject_id = first_marked.subject_id
        and latest.hire_date is not distinct from first_marked.hire_date
    -- A hire date that a later list replaced, and that never ended, was a mistake and no employment.
    where latest.collected_at = last_listed.last_listed_at or is_ended
),

-- Employed again, or still: another employment of the person that began after this one's end or outlasts it.
continued as (
    select ended.instance, ended.subject_id, ended.hire_date, min(other.hire_date) as next_hire_date
    from known as ended
    inner join known as other
        on ended.instance = other.instance and ended.person_id = other.person_id
        and (ended.subject_id <> other.subject_id or ended.hire_date is distinct from other.hire_date)
    where ended.left_on is not null
        and (other.hire_date > ended.left_on or other.left_on > ended.left_on or other.left_on is null)
    group by ended.instance, ended.subject_id, ended.hire_date
),

dated as (
    select known.*, continued.next_hire_date
    from known
    left join continued
        on known.instance = continued.instance and known.subject_id = continued.subject_id
        and known.hire_date is not distinct from continued.hire_date
)

select
    instance,
    person_id,
    subject_id as employee_id,
    full_name,
    work_email,
    identity_type,
    hire_date,
    termination_date,
    termination_at,
    -- Left, and nobody wrote when: marked so without a date, a date that can't be read, or gone from the list.
    case
        when termination_date is not null or termination_at is not null then null
        when next_hire_date is not null then null
        when termination_text is not null or is_marked_left then marked_at
        else vanished_by
    end as left_unknown_by,
    case
        when termination_date is not null or termination_at is not null then null
        when termination_text is not null then 'its termination date can''t be read'
        when is_marked_left then 'HR marks the person as left without a date'
        when vanished_by is not null then 'the person is missing from HR exports without a termination date'
    end as left_unknown_because,
    next_hire_date,
    [evidence] || coalesce(vanished_evidence, []) as evidence
from dated
