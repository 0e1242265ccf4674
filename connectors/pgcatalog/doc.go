// Package pgcatalog is PostgreSQL's pg_catalog and information_schema: virtual tables that describe
// Tarn's own objects in the words that PostgreSQL clients ask for.
//
//	relations.txt ─▶ every relation of PostgreSQL 16's two schemas, with its columns
//	rows.txt      ─▶ rows that never change: types, operators, casts, the functions behind them
//	Source        ─▶ what the reading transaction sees: schemas, relations, users
//	                      │
//	                 producers (one for each relation that has rows) ─▶ connectors.VirtualTable
//
// A relation without a producer is there and empty. The same objects answer the questions of catalog
// functions (Lookup): names behind oids, oids behind names, a view's text.
//
// Oids of built-in objects are PostgreSQL's. Those of other objects follow from catalog ids, so they
// stay while an object lives and are the same on every server of one catalog.
package pgcatalog
