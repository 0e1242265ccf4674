-- @ s001
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "connection_name": "list_shop"} */

    select distinct nspname from pg_namespace;
-- @ s002
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "connection_name": "list_shop_dbt"} */
select
      'shop' as database,
      tablename as name,
      schemaname as schema,
      'table' as type
    from pg_tables
    where schemaname ilike 'dbt'
    union all
    select
      'shop' as database,
      viewname as name,
      schemaname as schema,
      'view' as type
    from pg_views
    where schemaname ilike 'dbt'
    union all
    select
      'shop' as database,
      matviewname as name,
      schemaname as schema,
      'materialized_view' as type
    from pg_matviews
    where schemaname ilike 'dbt'
    union all
    select distinct
     'shop' as database,
     proname as name,
     ns.nspname as schema,
     'function' as type
    from pg_proc
     join pg_namespace as ns on pronamespace = ns.oid
    where ns.nspname ilike 'dbt';
-- @ s004
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "connection_name": "master"} */
select distinct
        dependent_namespace.nspname as dependent_schema,
        dependent_class.relname as dependent_name,
        referenced_namespace.nspname as referenced_schema,
        referenced_class.relname as referenced_name

    -- Query for views: views are entries in pg_class with an entry in pg_rewrite, but we avoid
    -- a seq scan on pg_rewrite by leveraging the fact there is an "internal" row in pg_depend for
    -- the view...
    from pg_class as dependent_class
    join pg_namespace as dependent_namespace on dependent_namespace.oid = dependent_class.relnamespace
    join pg_depend as dependent_depend on dependent_depend.refobjid = dependent_class.oid
        and dependent_depend.classid = 'pg_rewrite'::regclass
        and dependent_depend.refclassid = 'pg_class'::regclass
        and dependent_depend.deptype = 'i'

    -- ... and via pg_depend (that has a row per column, hence the need for "distinct" above, and
    -- making sure to exclude the internal row to avoid a view appearing to depend on itself)...
    join pg_depend as joining_depend on joining_depend.objid = dependent_depend.objid
        and joining_depend.classid = 'pg_rewrite'::regclass
        and joining_depend.refclassid = 'pg_class'::regclass
        and joining_depend.refobjid != dependent_depend.refobjid

    -- ... we can find the tables they query from in pg_class, but excluding system tables. Note we
    -- don't need need to exclude _dependent_ system tables, because they only query from other
    -- system tables, and so are automatically excluded by excluding _referenced_ system tables
    join pg_class as referenced_class on referenced_class.oid = joining_depend.refobjid
    join pg_namespace as referenced_namespace on referenced_namespace.oid = referenced_class.relnamespace
        and referenced_namespace.nspname != 'information_schema'
        and referenced_namespace.nspname not like 'pg\_%'

    order by
        dependent_schema, dependent_name, referenced_schema, referenced_name;;
-- @ s006
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "seed.shop.vat"} */
truncate table "shop"."dbt"."vat";
-- @ s007
insert into "shop"."dbt"."vat" ("code", "rate") values
          ('North',0.20),('South',0.19),('East',0.07);
-- @ s008
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.stg_orders"} */

  create view "shop"."dbt"."stg_orders__dbt_tmp"
    
    
  as (
    select order_id, customer_id, amount, day, region from sales.v_orders
  );;
-- @ s009
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.stg_orders"} */
alter table "shop"."dbt"."stg_orders" rename to "stg_orders__dbt_backup";
-- @ s010
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.stg_orders"} */
alter table "shop"."dbt"."stg_orders__dbt_tmp" rename to "stg_orders";
-- @ s011
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.stg_orders"} */
drop view if exists "shop"."dbt"."stg_orders__dbt_backup" cascade;
-- @ s012
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */

    
  
    

  create temporary table "daily__dbt_tmp092330443431"
  
  
    as
  
  (
    
select day, sum(amount) as revenue from "shop"."dbt"."stg_orders"
 where day >= (select max(day) from "shop"."dbt"."daily") 
group by day
  );;
-- @ s013
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.revenue"} */

  
    

  create  table "shop"."dbt"."revenue__dbt_tmp"
  
  
    as
  
  (
     select o.region, sum(o.amount) revenue, count(*) orders, max(v.rate) rate from "shop"."dbt"."stg_orders" o left join "shop"."dbt"."vat" v on v.code=o.region group by 1
  );;
-- @ s014
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from INFORMATION_SCHEMA.columns
      where table_name = 'daily__dbt_tmp092330443431'
        
      order by ordinal_position;
-- @ s015
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */

      select
          column_name,
          data_type,
          character_maximum_length,
          numeric_precision,
          numeric_scale

      from "shop".INFORMATION_SCHEMA.columns
      where table_name = 'daily'
        
        and table_schema = 'dbt'
        
      order by ordinal_position;
-- @ s016
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.revenue"} */
alter table "shop"."dbt"."revenue" rename to "revenue__dbt_backup";
-- @ s017
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.revenue"} */
alter table "shop"."dbt"."revenue__dbt_tmp" rename to "revenue";
-- @ s018
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */

      
        
        
        delete from "shop"."dbt"."daily" as DBT_INTERNAL_DEST
        where (day) in (
            select distinct day
            from "daily__dbt_tmp092330443431" as DBT_INTERNAL_SOURCE
        );

    

    insert into "shop"."dbt"."daily" ("day", "revenue")
    (
        select "day", "revenue"
        from "daily__dbt_tmp092330443431"
    );
-- @ s019
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.revenue"} */
drop table if exists "shop"."dbt"."revenue__dbt_backup" cascade;
-- @ s020
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.unique_daily_day.a5b5177e69"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    

select
    day as unique_field,
    count(*) as n_records

from "shop"."dbt"."daily"
where day is not null
group by day
having count(*) > 1



  
  
      
    ) dbt_internal_test;
-- @ s021
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.not_null_revenue_region.289802a86f"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    



select region
from "shop"."dbt"."revenue"
where region is null



  
  
      
    ) dbt_internal_test;
-- @ s022
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "test.shop.unique_revenue_region.21ee03dfc9"} */

    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
    
    

select
    region as unique_field,
    count(*) as n_records

from "shop"."dbt"."revenue"
where region is not null
group by region
having count(*) > 1



  
  
      
    ) dbt_internal_test;
-- @ s023
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */

      
  
    

  create  table "shop"."dbt"."daily__dbt_tmp"
  
  
    as
  
  (
    
select day, sum(amount) as revenue from "shop"."dbt"."stg_orders"

group by day
  );;
-- @ s024
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */
alter table "shop"."dbt"."daily" rename to "daily__dbt_backup";
-- @ s025
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */
alter table "shop"."dbt"."daily__dbt_tmp" rename to "daily";
-- @ s026
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "node_id": "model.shop.daily"} */
drop table if exists "shop"."dbt"."daily__dbt_backup" cascade;
-- @ s027
/* {"app": "dbt", "dbt_version": "1.11.16", "profile_name": "shop", "target_name": "dev", "connection_name": "shop.information_schema"} */

    
    

    select
        'shop' as table_database,
        sch.nspname as table_schema,
        tbl.relname as table_name,
        case tbl.relkind
            when 'v' then 'VIEW'
            when 'm' then 'MATERIALIZED VIEW'
            else 'BASE TABLE'
        end as table_type,
        tbl_desc.description as table_comment,
        col.attname as column_name,
        col.attnum as column_index,
        pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type,
        col_desc.description as column_comment,
        pg_get_userbyid(tbl.relowner) as table_owner

    from pg_catalog.pg_namespace sch
    join pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid
    join pg_catalog.pg_attribute col on col.attrelid = tbl.oid
    left outer join pg_catalog.pg_description tbl_desc on (tbl_desc.objoid = tbl.oid and tbl_desc.objsubid = 0)
    left outer join pg_catalog.pg_description col_desc on (col_desc.objoid = tbl.oid and col_desc.objsubid = col.attnum)
    where ((upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('stg_orders')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('daily')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('revenue')) or (upper(sch.nspname) = upper('dbt') and
           upper(tbl.relname) = upper('vat')))
      and not pg_is_other_temp_schema(sch.oid) -- not a temporary schema belonging to another session
      and tbl.relpersistence in ('p', 'u') -- [p]ermanent table or [u]nlogged table. Exclude [t]emporary tables
      and tbl.relkind in ('r', 'v', 'f', 'p', 'm') -- o[r]dinary table, [v]iew, [f]oreign table, [p]artitioned table, [m]aterialized view. Other values are [i]ndex, [S]equence, [c]omposite type, [t]OAST table
      and col.attnum > 0 -- negative numbers are used for system columns such as oid
      and not col.attisdropped -- column as not been dropped

    order by
        sch.nspname,
        tbl.relname,
        col.attnum;
