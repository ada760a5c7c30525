-- Which help articles are read before a detractor score?
-- Users who opened an article in the 30 days before a score, among all users who gave such a score.
-- Promoters stand beside detractors, as an article that everybody reads says nothing about either;
-- a user may be both at different times. An article is where users went for help, not why they are
-- unhappy. Counts below five are anecdotes; a column of zeros is an answer too.
with

responses as (

    select
        user_key,
        category,
        responded_at
    from marts.nps_responses
    where app_token = 'NX-44A1B2C3' and category in ('promoter', 'detractor')

),

totals as (

    select
        count(distinct case when category = 'detractor' then user_key end) as detractors,
        count(distinct case when category = 'promoter' then user_key end) as promoters
    from responses

),

article_reads as (

    select
        interactions.entity_id as article_id,
        responses.category,
        responses.user_key
    from responses
    inner join marts.interactions
        on
            responses.user_key = interactions.user_key
            and responses.responded_at > interactions.occurred_at
            and responses.responded_at <= interactions.occurred_at + interval '30' day
    where
        interactions.entity_type = 'resource_center_article'
        and interactions.interaction_status = 'ENGAGED'

)

select
    resource_center_articles.article_title,
    resource_center_articles.engaged_users as readers,
    count(
        distinct case when article_reads.category = 'detractor' then article_reads.user_key end
    ) as detractors_who_read,
    totals.detractors,
    count(
        distinct case when article_reads.category = 'promoter' then article_reads.user_key end
    ) as promoters_who_read,
    totals.promoters
from marts.resource_center_articles
cross join totals
left join article_reads
    on resource_center_articles.article_id = article_reads.article_id
where resource_center_articles.app_token = 'NX-44A1B2C3'
group by
    resource_center_articles.resource_center_article_key,
    resource_center_articles.article_title,
    resource_center_articles.engaged_users,
    totals.detractors,
    totals.promoters
order by
    detractors_who_read desc,
    resource_center_articles.engaged_users desc,
    resource_center_articles.resource_center_article_key asc
limit 10
