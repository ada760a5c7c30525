{#-
    Dates on which the states do not hold every user of the app exactly once. Each state is counted
    here from the days of activity, date by date, and not from the one before it.
-#}
{% test lifecycle_adds_up(model) %}
    with

    users as (

        select
            users.app_token,
            users.user_key,
            min(user_days.activity_date) as first_date
        from {{ ref('users') }} as users
        left join {{ ref('user_days') }} as user_days on users.user_key = user_days.user_key
        group by users.app_token, users.user_key

    ),

    starts as (

        select
            app_token,
            first_date,
            count(*) as user_count
        from users
        group by app_token, first_date

    ),

    populations as (

        select
            model.app_token,
            model.activity_date,
            sum(starts.user_count) as population,
            sum(case when starts.first_date = model.activity_date then starts.user_count else 0 end)
                as new_users,
            sum(case when starts.first_date <= model.activity_date then starts.user_count else 0 end)
                as users_so_far
        from {{ model }} as model
        inner join starts on model.app_token = starts.app_token
        group by model.app_token, model.activity_date

    ),

    active as (

        select
            today.app_token,
            today.activity_date,
            count(*) as dau,
            count(yesterday.user_key) as retained_users
        from {{ ref('user_days') }} as today
        left join {{ ref('user_days') }} as yesterday
            on
                today.user_key = yesterday.user_key
                and today.activity_date = yesterday.activity_date + 1
        group by today.app_token, today.activity_date

    )

    select model.*
    from {{ model }} as model
    inner join populations
        on
            model.app_token = populations.app_token
            and model.activity_date = populations.activity_date
    left join active
        on
            model.app_token = active.app_token
            and model.activity_date = active.activity_date
    where
        model.new_users + model.retained_users + model.resurrected_users <> model.dau
        or model.dau <> coalesce(active.dau, 0)
        or model.new_users <> populations.new_users
        or model.retained_users <> coalesce(active.retained_users, 0)
        or model.dau + model.dormant_users <> populations.users_so_far
        or model.dau + model.dormant_users + model.not_yet_seen_users <> populations.population
{% endtest %}
