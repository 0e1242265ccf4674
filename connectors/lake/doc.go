// Package lake reads and writes the catalog's tables: Parquet, ORC, CSV and JSON files in Hive's layout.
//
// On the coordinator, Splits asks a connectors.FileLister which files a scan needs and cuts the
// large ones; a split names a file's version and its partition, so that workers never ask a catalog.
// On a worker, Read opens a split through package files, with the partition columns as constants.
//
//	…/schema/table/ds=2018-08-01/part-<attempt>-<n>.parquet
//
// A sink writes files under their final, unique names; nobody reads them before Stage has listed
// them in a transaction that commits. A file is durable before its fragment is handed out, and Abort
// removes it. What a crash leaves behind is found by Vacuum, which compares directories with the
// catalog and deletes what no snapshot lists.
//
// Columns are found in files by storage name, which never changes, and partition directories are
// named by it as well: renaming a column moves nothing.
package lake
