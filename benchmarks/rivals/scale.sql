-- The features of scale_org's facts for all leads at one moment, by hand for DuckDB, as fast as we could make it: what the
-- general build can't know is used (one as_of for all, addresses that never change, no two changes of a field at one moment).
-- $leads, $changes, $activities: Parquet files; $now in microseconds. `words` is filled by Python between the two halves.

create temp table lead as
select file_row_number as n, lead_id, created_at, account_key, email from read_parquet($leads, file_row_number = true);

create temp table said as
with c as (select l.n, c.field, c."at", c.value from read_parquet($changes) c join lead l using (lead_id) where c."at" <= $now)
select n,
    max_by(value, "at") filter (where field = 'title') as title, max_by(value, "at") filter (where field = 'industry') as industry,
    max_by(value, "at") filter (where field = 'employees') as employees,
    max_by(value, "at") filter (where field = 'annual_revenue') as annual_revenue,
    max_by(value, "at") filter (where field = 'country') as country, max_by(value, "at") filter (where field = 'source') as source,
    max_by(value, "at") filter (where field = 'heard_from') as heard_from,
    max_by(value, "at") filter (where field = 'product_interest') as product_interest,
    max_by(value, "at") filter (where field = 'seats') as seats, max_by(value, "at") filter (where field = 'pilot') as pilot,
    max_by(value, "at") filter (where field = 'hand_raiser') as hand_raiser,
    max_by(value, "at") filter (where field = 'opted_out') as opted_out,
    max_by(value, "at") filter (where field = 'needed_by') as needed_by,
    max_by(value, "at") filter (where field = 'email') as email,
    bool_or(field = 'company') as company, bool_or(field = 'phone') as phone
from c group by n;

create temp macro known(t) as if(lower(t) in ('n/a', 'unknown', '', '-', 'none', 'null'), null, t);
create temp macro address(t) as regexp_replace(t, '^[A-Za-z0-9._%+''-]+@', 'x@');

create temp table record as
select l.n, l.created_at, l.account_key, known(s.title) as title, known(s.industry) as industry, known(s.employees) as employees,
    known(s.annual_revenue) as annual_revenue, known(s.country) as country, known(s.source) as source,
    known(s.heard_from) as heard_from, known(s.product_interest) as product_interest, known(s.seats) as seats,
    lower(s.pilot) as pilot, lower(s.hand_raiser) as hand_raiser, lower(s.opted_out) as opted_out,
    address(coalesce(s.email, l.email)) as email, s.company, s.phone,
    date_diff('day', cast(make_timestamp($now) as date), cast(s.needed_by as date)) as ahead
from lead l left join said s using (n);

create temp table asked as
select distinct 'title' as field, title as value from record where title is not null
union all select distinct 'industry', industry from record where industry is not null
union all select distinct 'country', country from record where country is not null
union all select distinct 'source', source from record where source is not null
union all select distinct 'heard_from', heard_from from record where heard_from is not null
union all select distinct 'email', email from record where email is not null;

-- second half

-- every touch, once over all of the file: no sort, three numbers a lead
create temp macro touch(kind, actor, answered) as actor = 'person' and (kind in ('page_view', 'form', 'download', 'webinar',
    'email_opened', 'email_clicked', 'email_replied', 'email_forwarded', 'meeting', 'campaign_response') or (kind = 'call' and answered));

-- phone before event, e-mail and site
create temp macro way(kind) as case when kind in ('call', 'meeting') then 0 when kind in ('webinar', 'campaign_response') then 1
    when kind in ('page_view', 'form', 'download') then 3 else 2 end;

create temp table life as
select l.n, min(a."at") as first, min(a."at" * 4 + way(a.kind)) & 3 as way, max(a."at") as last, max(a."at") filter (where a."at" <= $now - 180 * 86400000000) as before,
    sum(exp((a."at" - $now) / 1209600000000)) as weighted
from read_parquet($activities) a join lead l using (lead_id)
where touch(a.kind, a.actor, a.answered) and a."at" <= $now
group by l.n;

create temp table recent as
select l.n, a."at", a.activity_id, a.kind, a.actor, a.session, a.content, a.area, a.subject, touch(a.kind, a.actor, a.answered) as t,
    case when a.kind in ('page_view', 'form', 'download') then 1 when a.kind in ('webinar', 'campaign_response') then 2
         when a.kind in ('call', 'meeting') then 4 else 8 end as channel
from read_parquet($activities) a join lead l using (lead_id)
where a."at" > $now - 180 * 86400000000 and a."at" <= $now
  and (touch(a.kind, a.actor, a.answered) or a."at" > $now - 30 * 86400000000);

create temp table counted as
with a as (select *, $now - "at" as age from recent where "at" > $now - 90 * 86400000000),
s as (
    select *, age < 3 * 86400000000 and t as d3, age < 7 * 86400000000 and t as d7, age < 14 * 86400000000 and t as d14,
        age < 30 * 86400000000 and t as d30, age < 31 * 86400000000 and t as d31, age < 35 * 86400000000 and t as d35,
        age < 30 * 86400000000 and kind not in ('email_sent', 'call', 'task') as theirs,
        t and kind in ('page_view', 'download') and content is not null as reading from a
)
select n,
    count(*) filter (where reading and kind = 'download') as downloads,
    count(*) filter (where reading and kind = 'download' and content = 'documentation') as doc_downloads,
    count(*) filter (where reading) as readings, count(*) filter (where reading and content = 'documentation') as technical,
    count(*) filter (where d30 and reading and content = 'pricing') as pricing,
    count(*) filter (where d30 and reading and content = 'case_study') as case_studies,
    count(*) filter (where d30 and kind = 'email_forwarded') as forwards, count(*) filter (where d30 and kind = 'form') as forms,
    count(*) filter (where d3) as t3, count(*) filter (where d7) as t7, count(*) filter (where d30) as t30,
    count(*) filter (where d31) as t31, count(*) filter (where d35) as t35,
    count(*) filter (where d30 and kind = 'meeting') as meetings, count(*) filter (where theirs) as theirs,
    count(*) filter (where theirs and actor = 'machine') as machine, count(*) filter (where theirs and actor = 'unsure') as unsure,
    count(*) filter (where age < 30 * 86400000000 and actor = 'person' and kind in ('email_sent', 'call')) as outreach,
    count(*) filter (where age < 30 * 86400000000 and actor = 'machine' and kind in ('email_sent', 'call', 'task')) as in_our_name,
    bit_count(bit_or(channel) filter (where d14)) as channels
from s group by n;

create temp table areas as
select n, count(*) as areas from (
    select distinct n, area from recent where t and area is not null and "at" > $now - 30 * 86400000000) group by n;

create temp table visited as
with p as (
    select n, "at", activity_id, session, lag(session) over w as prior, "at" - lag("at") over w as pause from recent
    where t and kind = 'page_view' and "at" > $now - 33 * 86400000000 window w as (partition by n order by "at", activity_id)
),
s as (select *, $now - "at" as age, coalesce(session <> prior or pause > 86400000000, pause > 1800000000, true) as starts from p),
-- a session that comes up again beside another within a day is one visit
v as (
    select n, age, pause, starts from s where not (starts and session is not null)
    union all
    select n, age, pause, coalesce("at" - lag("at") over (partition by n, session order by "at", activity_id) > 86400000000, true)
    from s where starts and session is not null
)
select n, count(*) as pages, 1 + count(*) filter (where starts and age + pause < 30 * 86400000000) as visits,
    count(*) filter (where starts and pause <= 48 * 3600000000) as returns
from v where age < 30 * 86400000000 group by n;

create temp table replied as
with those as (
    select lead_id, n from lead
    where n in (select n from recent where t and kind = 'email_replied' and "at" > $now - 90 * 86400000000)
),
talk as (
    select n, "at", activity_id, kind = 'email_replied' as reply from read_parquet($activities) a join those using (lead_id)
    where kind in ('email_sent', 'call', 'email_replied') and actor = 'person' and "at" <= $now
),
w as (
    select n, "at", reply, max("at") filter (where not reply) over b as asked, max("at") filter (where reply) over b as answered
    from talk window b as (partition by n order by "at", activity_id rows between unbounded preceding and 1 preceding)
)
select n, median("at" - asked) as after from w
where reply and (answered is null or asked > answered) and "at" > $now - 90 * 86400000000 group by n;

create temp table paused as
with p as (
    select n, "at", "at" - coalesce(lag("at") over (partition by n order by "at"), before) as pause
    from recent join life using (n) where t
)
select n, count(*) filter (where age < 90 * 86400000000 and age + pause < 90 * 86400000000) as divisions, avg(pause) as gap,
    count(*) filter (where age < 7 * 86400000000 and pause >= 30 * 86400000000) as returned
from (select n, $now - "at" as age, pause from p where pause > 7 * 86400000000) group by n;

-- the company: one number a key, crowds left out
create temp table company as
with k as (
    select n, 'a' || account_key as name from lead where account_key is not null
    union all
    select r.n, 'd' || w."~domain" from record r join words w on w.field = 'email' and w.value = r.email where w."~domain" is not null
),
size as (select name, count(*) as size, row_number() over () as key from k group by name)
select n, key from k join size using (name) where size <= 500;

create temp table touched as
select n, kind, "at" // 86400000000 as day,
    coalesce(session, if(kind in ('meeting', 'call', 'webinar'), kind || "at" || coalesce(subject, ''), null)) as together
from recent where t and "at" > $now - 30 * 86400000000;

create temp table person as
select p.n, touches, forwards, w."~function" as function,
    coalesce(w."~function" = 'executive' or w."~seniority" in ('c_level', 'vp'), false) as executive,
    coalesce(w."~function" in ('business', 'finance', 'marketing', 'sales', 'operations'), false) as business
from (select n, count(*) as touches, count(*) filter (where kind = 'email_forwarded') as forwards from touched group by n) p
join record r using (n) left join words w on w.field = 'title' and w.value = r.title;

create temp table mate as
select distinct a.n, b.n as mate from company a join company b using (key) where a.n <> b.n and b.n in (select n from person);

create temp table colleagues as
select m.n, count(*) as colleagues, sum(p.touches) as touches, sum(p.forwards) as forwards, bool_or(executive) as executive,
    bool_or(business) as business,
    bit_count(bit_or(case function when 'student' then 1 when 'operations' then 2 when 'executive' then 4 when 'finance' then 8
        when 'marketing' then 16 when 'sales' then 32 when 'technical' then 64 when 'business' then 128 end)) as functions
from mate m join person p on p.n = m.mate group by m.n;

create temp table pair as select * from mate where n in (select n from person);

create temp table same_day as
with d as (select distinct n, day from touched)
select n, count(*) as people from (
    select distinct b.n, b.mate from pair b join d o on o.n = b.n join d t on t.n = b.mate and t.day = o.day) group by n;

create temp table met as
with m as (select distinct n, together from touched where together is not null),
s as (select together from m group by together having count(*) > 1),
o as (select n, together from m semi join s using (together))
select n, count(*) as occasions from (
    select distinct b.n, o.together from pair b join o on o.n = b.n join o t on t.n = b.mate and t.together = o.together) group by n;

create temp table copied as
with e as (
    select l.n, unnest(string_split(lower(a.cc), ' ')) as who from read_parquet($activities) a join lead l using (lead_id)
    where a.cc is not null and a.actor = 'person' and a.kind in ('email_sent', 'email_replied', 'email_forwarded')
      and a."at" > $now - 30 * 86400000000 and a."at" <= $now
),
p as (select distinct n, who, split_part(who, '@', 2) as host from e),
-- the hosts of each company, of those that are asked for
h as (
    select distinct c.key, w."~domain" as host from company c join record r using (n) join words w on w.field = 'email' and w.value = r.email
    where w."~domain" in (select host from p)
)
select p.n, count(distinct p.who) as people from p join company c using (n) join h on h.key = c.key and h.host = p.host group by p.n;

create temp table followed as
with f as (select c.n, key, first, way, first // 604800000000 as week from company c join life using (n)),
mine as (select n, key, first, week from f union all select n, key, first, week + 1 from f),
pair as (
    select distinct m.n, t.n as mate, t.way, t.first - m.first as gap
    from mine m join f t on t.key = m.key and t.week = m.week and t.first > m.first and t.first <= m.first + 604800000000 and t.n <> m.n
),
s as (
    select n, count(*) as followers, min(gap) as after, count(*) filter (where way = 0) as phone, count(*) filter (where way = 1) as event,
        count(*) filter (where way = 2) as email, count(*) filter (where way = 3) as site from pair group by n
)
select n, followers, after, case greatest(phone, event, email, site) when phone then 'phone' when event then 'event'
    when email then 'email' else 'site' end as way
from s;

create temp table introduced as
with s as (
    select c.key, l.n as sender, a."at" from read_parquet($activities) a join lead l using (lead_id) join company c using (n)
    where a.kind = 'email_forwarded' and a.actor = 'person' and a."at" <= $now
)
select distinct c.n from company c join life f using (n)
join s on s.key = c.key and s."at" <= f.first and s."at" > f.first - 30 * 86400000000 and s.sender <> c.n;

create temp table numbers as
select value, if(isfinite(number), number, null) as number from (
    select value, coalesce(try_cast(bare as double),
        sqrt(try_cast(regexp_extract(bare, '^(\d+(?:\.\d+)?)[-–](\d+(?:\.\d+)?)$', 1) as double)
           * try_cast(regexp_extract(bare, '^(\d+(?:\.\d+)?)[-–](\d+(?:\.\d+)?)$', 2) as double)),
        try_cast(regexp_extract(bare, '^(\d+(?:\.\d+)?)\+$', 1) as double)) as number
    from (
        select value, regexp_replace(value, '[,\s$€£]', '', 'g') as bare from (
            select distinct employees as value from record union select distinct annual_revenue from record
            union select distinct seats from record) where value is not null));

create temp macro yes(t) as case when t in ('true', 'yes', 'y', '1', '1.0') then 1.0 when t in ('false', 'no', 'n', '0', '0.0') then 0.0 end;
create temp macro days(x) as round(x / 86400000000, 6);

create temp table result as
select r.n,
    round(pages / visits, 6) as pages_per_session_30d, coalesce(returns, 0)::double as return_visits_48h,
    round(doc_downloads / nullif(downloads, 0), 6) as doc_download_share, round(technical / nullif(readings, 0), 6) as technical_content_share,
    coalesce(least(pricing, case_studies), 0)::double as pricing_with_case_study_30d, coalesce(a.areas, 0)::double as research_depth_30d,
    round(rep.after / 3600000000, 6) as reply_hours_median, coalesce(c.forwards, 0)::double as forwards_30d,
    coalesce(forms, 0)::double as forms_30d, coalesce(channels, 0)::double as channels_14d,
    days(greatest($now - r.created_at, 0)) as lead_age_days, days($now - first) as days_since_first_touch,
    days($now - last) as days_since_last_touch, coalesce(t7, 0)::double as touches_7d, coalesce(t30, 0)::double as touches_30d,
    coalesce(meetings, 0)::double as meetings_30d,
    if($now - last < 90 * 86400000000, 1 + coalesce(divisions, 0), 0)::double as bursts_90d, days(gap) as mean_burst_gap_days,
    (coalesce(returned, 0) > 0)::double as dark_then_return,
    round((coalesce(t3, 0) + 1) / (coalesce(t31 - t3, 0) * (3 / 28) + 1), 6) as velocity_3d,
    round((coalesce(t7, 0) + 1) / (coalesce(t35 - t7, 0) * (7 / 28) + 1), 6) as velocity_7d,
    round(ln(coalesce(weighted, 0) + 1), 6) as recency_weighted_engagement,
    if(k.n is null, null, coalesce(colleagues, 0))::double as colleagues_engaged_30d,
    if(k.n is null or (colleagues > 0 and coalesce(functions, 0) = 0), null, coalesce(functions, 0))::double as functions_engaged_30d,
    if(k.n is null, null, coalesce(sd.people, 0))::double as same_day_colleagues_30d,
    if(k.n is null, null, coalesce(occasions, 0))::double as shared_sessions_30d,
    if(k.n is null, null, coalesce(col.forwards, 0))::double as colleague_forwards_30d,
    if(k.n is null, null, coalesce(cp.people, 0))::double as copied_colleagues_30d,
    if(k.n is null, null, coalesce(col.touches, 0) + coalesce(p.touches, 0))::double as account_touches_30d,
    if(k.n is null, null, coalesce(followers, 0))::double as followers_7d, round(fo.after / 3600000000, 6) as first_follower_hours,
    fo.way as follower_channel,
    if(i.n is not null, 1.0, try_cast(wh."~referred" as double)) as referral,
    round(machine / nullif(theirs, 0), 6) as machine_share_30d, round(ln(e.number + 1), 6) as log_employees,
    case when e.number is null then null when e.number < 10 then '1-9' when e.number < 50 then '10-49' when e.number < 100 then '50-99'
         when e.number < 500 then '100-499' when e.number < 1000 then '500-999' when e.number < 5000 then '1000-4999' else '5000+' end as size_band,
    round(ln(rev.number + 1), 6) as log_annual_revenue, wi."~industry" as industry, wt."~function" as function,
    wt."~seniority" as seniority, ws."~channel" as channel, ws."~source" as source, wc."~country" as country,
    we."~email_kind" as email_kind, regexp_replace(lower(product_interest), '\s+', ' ', 'g') as fact_product_interest,
    round(se.number, 6) as fact_seats, yes(pilot)::double as fact_pilot,
    ahead::double as days_until_needed_by, (ahead < 0)::double as needed_by_passed, coalesce(machine, 0)::double as machine_touches_30d,
    coalesce(unsure, 0)::double as unsure_touches_30d, coalesce(outreach, 0)::double as outreach_30d,
    coalesce(in_our_name, 0)::double as machine_outreach_30d,
    round(coalesce(weighted, 0), 6) as engagement_touches,
    (coalesce(colleagues, 0) + if(p.n is null, 0, 1))::double as committee_size,
    (coalesce(col.executive, false) or coalesce(p.executive, false))::double as has_executive_in_committee,
    (coalesce(col.business, false) or coalesce(p.business, false))::double as has_business_in_committee,
    round(((r.email is not null)::int + coalesce(company, false)::int + (title is not null)::int + (r.industry is not null)::int
        + (employees is not null)::int + (annual_revenue is not null)::int + (r.country is not null)::int
        + (r.source is not null)::int + coalesce(phone, false)::int) / 9, 6) as completeness,
    round(e.number, 6) as employees, yes(hand_raiser)::double as hand_raiser, yes(opted_out)::double as opted_out
from record r
left join counted c using (n) left join areas a using (n) left join visited v using (n) left join replied rep using (n)
left join life f using (n) left join paused pa using (n) left join person p using (n) left join colleagues col using (n)
left join same_day sd using (n) left join met using (n) left join followed fo using (n) left join copied cp using (n) left join introduced i using (n)
left join (select distinct n from company) k using (n)
left join numbers e on e.value = r.employees left join numbers rev on rev.value = r.annual_revenue
left join numbers se on se.value = r.seats
left join words wt on wt.field = 'title' and wt.value = r.title
left join words wi on wi.field = 'industry' and wi.value = r.industry
left join words ws on ws.field = 'source' and ws.value = r.source
left join words wc on wc.field = 'country' and wc.value = r.country
left join words wh on wh.field = 'heard_from' and wh.value = r.heard_from
left join words we on we.field = 'email' and we.value = r.email;
