// Package demo makes a small web shop's warehouse on the spot and runs its night: raw CSV for several
// days, INSERT OVERWRITE of each day's partitions, _latest views, and a dashboard's queries. It is a
// client of the server like any other.
package demo
